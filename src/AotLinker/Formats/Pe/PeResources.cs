using System.Buffers.Binary;
using AotLinker.Objects;

namespace AotLinker.Formats.Pe;

/// <summary>
/// .rsrc: the resources of a host object, such as an icon, a manifest, version information (ld.setpersrc, addpersrc). They are complete
/// but for their addresses.
/// </summary>
/// <param name="symbols">The sections of the host object: .rsrc, or .rsrc$01 with the directory and .rsrc$02 with the data.</param>
internal sealed class PeResources(IReadOnlyList<SymbolId> symbols)
{
    /// <summary>Makes the section's content.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="address">The section's address from the image's base.</param>
    public byte[] Build(LinkContext ctx, uint address)
    {
        long length = 0;
        foreach (SymbolId s in symbols)
            length += ctx.Symbols.Size(s);
        byte[] content = new byte[length];
        int start = 0;
        foreach (SymbolId s in symbols)
        {
            ReadOnlySpan<byte> data = ctx.Symbols.Data(s);
            data.CopyTo(content.AsSpan(start));
            // Of two sections, the first refers to the second one, which comes right behind it.
            bool isSplit = ctx.Symbols.Name(s).IndexOf(".rsrc$"u8) >= 0;
            RelocList relocs = ctx.Symbols.Relocs(s);
            for (int i = 0; i < relocs.Count; i++)
            {
                uint value = (uint)(address + relocs[i].Addend) + (isSplit ? (uint)data.Length : 0);
                BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(start + relocs[i].Offset), value);
            }
            start += data.Length;
        }
        return content;
    }
}
