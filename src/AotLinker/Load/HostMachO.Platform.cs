using AotLinker.Formats.MachO;

namespace AotLinker.Load;

/// <summary>
/// The system an object is for. The Go linker asks package debug/macho (NewFile), which looks at more of a file than linking needs, and
/// where it finds a fault there, the object has no platform; it is linked all the same.
/// </summary>
internal sealed unsafe partial class HostMachO
{
    private const int Segment32Size = 56;
    private const int Section32Size = 68;
    private const int RelocationSize = 8;

    /// <summary>Tells the format what system an object is for that is not loaded, but left to an external linker (hostobjMachoPlatform).</summary>
    public static void TakePlatform(LinkContext ctx, MachOFormat format, HostObject host)
    {
        if (ctx.Target.Cpu.MachO is not { } cpu || host.Kind != MemberKind.HostMachO)
            return;
        HostMachO o = new(ctx, cpu, host, 0);
        if (o._length < HeaderSize || o.U32(0) != Magic64)
            return;
        long at = HeaderSize, end = o._length;
        for (uint i = 0; i < o.U32(16); i++)
        {
            if (end - at < 8 || o.U32(at + 4) is < 8 || o.U32(at + 4) > end - at)
                return;
            at += o.U32(at + 4);
        }
        o.TakePlatform(format, o.U32(16));
    }

    private void TakePlatform(MachOFormat format, uint count)
    {
        if (!IsSound(count))
            return;
        long at = HeaderSize;
        for (uint i = 0; i < count; i++)
        {
            MachOCommand command = (MachOCommand)U32(at);
            uint size = U32(at + 4);
            if (command is MachOCommand.VersionMinMac or MachOCommand.VersionMinPhone or MachOCommand.VersionMinTv
                or MachOCommand.VersionMinWatch or MachOCommand.BuildVersion)
            {
                format.AddHostPlatform(_ctx, command, new ReadOnlySpan<byte>(_base + at + 8, (int)size - 8));
                return;
            }
            at += size;
        }
    }

    // The commands lie within the file: that has been seen to.
    private bool IsSound(uint count)
    {
        if (!IsInFile(HeaderSize, U32(20)))
            return false;
        uint? symbols = null;
        long at = HeaderSize;
        for (uint i = 0; i < count; i++)
        {
            uint size = U32(at + 4);
            bool isSound = size >= 8 && (MachOCommand)U32(at) switch
            {
                MachOCommand.RunPath => size >= 12 && U32(at + 8) < size,
                MachOCommand.LoadDylib => size >= 24 && U32(at + 8) < size,
                MachOCommand.SymbolTable => IsSoundTable(at, size, out symbols),
                MachOCommand.DynamicSymbolTable => symbols is { } known && IsSoundDynamicTable(at, size, known),
                MachOCommand.Segment32 => size >= Segment32Size
                    && AreSoundSections(at + Segment32Size, size - Segment32Size, U32(at + 48), Section32Size, 48),
                MachOCommand.Segment64 => size >= SegmentSize && (long)U64(at + 40) >= 0 && (long)U64(at + 48) >= 0
                    && AreSoundSections(at + SegmentSize, size - SegmentSize, U32(at + 64), SectionSize, 56),
                _ => true,
            };
            if (!isSound)
                return false;
            at += size;
        }
        return true;
    }

    private bool IsSoundTable(long at, uint size, out uint? symbols)
    {
        symbols = null;
        if (size < 24)
            return false;
        uint offset = U32(at + 8), count = U32(at + 12), namesSize = U32(at + 20);
        if (!IsInFile(U32(at + 16), namesSize) || !IsInFile(offset, (ulong)count * SymbolSize))
            return false;
        for (uint i = 0; i < count; i++)
        {
            if (U32(offset + ((long)i * SymbolSize)) >= namesSize)
                return false;
        }
        symbols = count;
        return true;
    }

    private bool IsSoundDynamicTable(long at, uint size, uint symbols) =>
        size >= 80 && U32(at + 24) <= symbols && unchecked(U32(at + 24) + U32(at + 28)) <= symbols
        && IsInFile(U32(at + 56), (ulong)U32(at + 60) * 4);

    private bool AreSoundSections(long at, uint size, uint count, int sectionSize, int relocations)
    {
        if (count > size / sectionSize)
            return false;
        for (uint i = 0; i < count; i++, at += sectionSize)
        {
            if (!IsInFile(U32(at + relocations), (ulong)U32(at + relocations + 4) * RelocationSize))
                return false;
        }
        return true;
    }

    // Of nothing at all it doesn't matter where it is.
    private bool IsInFile(ulong offset, ulong size) =>
        size == 0 || (offset <= (ulong)_length && size <= (ulong)_length - offset);
}
