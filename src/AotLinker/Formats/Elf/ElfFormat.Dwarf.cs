using AotLinker.Synthesize.Dwarf;

namespace AotLinker.Formats.Elf;

/// <summary>Compressed debug sections: the compression header of the generic ABI, by the standard name.</summary>
internal sealed partial class ElfFormat
{
    private const uint CompressionZlib = 1;

    /// <inheritdoc/>
    public override byte[]? CompressedDwarfHeader(LinkContext ctx, long size)
    {
        int pointerSize = ctx.Target.PointerSize;
        byte[] header = new byte[pointerSize == 8 ? 24 : 12];
        DieWriter w = new(header, pointerSize, ctx.Target.IsBigEndian, default);
        w.UInt32(CompressionZlib);
        if (pointerSize == 8)
        {
            w.UInt32(0);
        }
        w.Pointer((ulong)size);
        w.Pointer((ulong)ctx.Target.Cpu.AccessAlign(ctx.Release));
        return header;
    }
}
