using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Formats.Pe;

/// <summary>What a relocation of a host object is to us.</summary>
/// <param name="Kind">The kind.</param>
/// <param name="Size">Bytes of the field.</param>
internal readonly record struct PeHostRelocation(RelocKind Kind, int Size);

/// <summary>What PE images and objects for a CPU look like. One file per CPU; <see cref="Cpu.CpuArch.Pe"/> is the way to it.</summary>
internal abstract class PeCpu
{
    /// <summary>Machine of the file header.</summary>
    public abstract ushort Machine { get; }

    /// <summary>Whether programs have base relocations even where they are not position-independent (needPEBaseReloc).</summary>
    public virtual bool IsAlwaysRelocated => false;

    /// <summary>Whether functions have entries in the system's unwind tables, .pdata and .xdata (collectSEH).</summary>
    public virtual bool HasUnwindTables => false;

    /// <summary>Whether a program can check its own code, though base relocations have changed it (obj.EnableFIPS).</summary>
    public virtual bool ProgramsCanCheckThemselves => true;

    /// <summary>Whether C's names begin with an underscore that ours lack.</summary>
    public virtual bool HasUnderscores => false;

    /// <summary>Where programs of 64 bits lie that other linkers make, Microsoft's and LLVM's.</summary>
    protected const long HighImageBase = 0x1_4000_0000;

    /// <summary>Address at which programs want to be loaded.</summary>
    public virtual long ImageBase(Release release) => 0x40_0000;

    /// <summary>Appends code that jumps to an imported function, by way of its place in the import address table (windynrelocsym).</summary>
    public abstract void AddImportStub(SymbolBuilder stubs, SymbolId import, Release release);

    /// <summary>What a host object's relocation of a type is; null for a type that is not known (loadpe.Load).</summary>
    public abstract PeHostRelocation? HostRelocation(ushort type);

    /// <summary>The same in releases where CPUs share types (<see cref="Release.SeparatesPeRelocations"/>): those of x86.</summary>
    public virtual PeHostRelocation? EarlierHostRelocation(ushort type) => type switch
    {
        1 => new(RelocKind.Addr, 8),
        2 or 4 or 20 => new(RelocKind.PcRel, 4),
        3 or 7 => new(RelocKind.PeImageOff, 4),
        6 => new(RelocKind.Addr, 4),
        _ => null,
    };

    /// <summary>How such releases' messages about types that are not known name the CPU.</summary>
    public virtual string EarlierName => "";

    /// <summary>The addend of a host object's relocation, from what the field holds, sign-extended.</summary>
    public virtual long HostAddend(ushort type, long field) => field;
}
