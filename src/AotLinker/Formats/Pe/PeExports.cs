using System.Buffers.Binary;
using AotLinker.Objects;

namespace AotLinker.Formats.Pe;

/// <summary>
/// .edata, the functions that the program exports by name (ld.initdynexport, addexports): the directory, addresses, places of names,
/// ordinals, the program's own name, the names.
/// </summary>
internal sealed class PeExports
{
    private const int DirectorySize = 40;

    private readonly SymbolId[] _symbols;

    private PeExports(SymbolId[] symbols) => _symbols = symbols;

    /// <summary>Whether nothing is exported; then there is no section.</summary>
    public bool IsEmpty => _symbols.Length == 0;

    /// <summary>Finds the live exports.</summary>
    /// <exception cref="LinkException">There are more than the table can hold.</exception>
    public static PeExports Collect(LinkContext ctx)
    {
        List<SymbolId> exports = [];
        foreach (SymbolId s in ctx.Symbols.CgoExportDynamic)
        {
            if (!ctx.Symbols.IsReachable(s))
                continue;
            if (exports.Count >= ushort.MaxValue)
            {
                ctx.Diagnostics.Error(ctx.Symbols.Name(s), "pe dynexport table is full");
                throw new ErrorsReportedException();
            }
            exports.Add(s);
        }
        SymbolId[] sorted = [.. exports];
        Array.Sort(Array.ConvertAll(sorted, ctx.Symbols.OutputName), sorted, StringComparer.Ordinal);
        return new PeExports(sorted);
    }

    /// <summary>Makes the section's content.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="address">The section's address from the image's base.</param>
    public byte[] Build(LinkContext ctx, uint address)
    {
        int count = _symbols.Length;
        int addresses = DirectorySize;
        int names = addresses + (4 * count);
        int ordinals = names + (4 * count);
        int program = ordinals + (2 * count);
        byte[] programName = RawText.Encode(ctx.Options.Output);
        byte[][] symbolNames = Array.ConvertAll(_symbols, s => RawText.Encode(ctx.Symbols.OutputName(s)));
        int length = program + programName.Length + 1;
        foreach (byte[] name in symbolNames)
            length += name.Length + 1;

        byte[] content = new byte[length];
        Put32(12, address + (uint)program);
        Put32(16, 1); // ordinals count from 1
        Put32(20, (uint)count);
        Put32(24, (uint)count);
        Put32(28, address + (uint)addresses);
        Put32(32, address + (uint)names);
        Put32(36, address + (uint)ordinals);
        programName.CopyTo(content, program);
        int at = program + programName.Length + 1;
        for (int i = 0; i < count; i++)
        {
            Put32(addresses + (4 * i), (uint)(ctx.Symbols.Value(_symbols[i]) - ctx.Format.ImageBase));
            Put32(names + (4 * i), address + (uint)at);
            BinaryPrimitives.WriteUInt16LittleEndian(content.AsSpan(ordinals + (2 * i)), (ushort)i);
            symbolNames[i].CopyTo(content, at);
            at += symbolNames[i].Length + 1;
        }
        return content;

        void Put32(int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(content.AsSpan(offset), value);
    }
}
