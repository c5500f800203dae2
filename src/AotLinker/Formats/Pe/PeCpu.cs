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

    /// <summary>Whether objects have relocations for distances of other sections' symbols.</summary>
    public virtual bool RelocatesDistances => false;

    /// <summary>The type of an object's relocation that stores an address (the CPUs' pereloc1, emitRelocations).</summary>
    public abstract ushort AddressRelocation { get; }

    /// <summary>How many relocations of an object stand for one of ours.</summary>
    public virtual int ObjectRelocationParts(RelocKind kind) => 1;

    /// <summary>
    /// The type of the relocation of an object that stands for one of ours, or for one of several that do; null for none (the CPUs' pereloc1).
    /// </summary>
    /// <param name="kind">What is left to the external linker.</param>
    /// <param name="size">Bytes of the field.</param>
    /// <param name="part">Number of the one asked for, from 0 on; they belong to instructions one behind the other.</param>
    public abstract ushort? ObjectRelocation(RelocKind kind, int size, int part);

    /// <summary>Bytes of large data after which an object needs a label, for its instructions have no bits for more; 0 for none.</summary>
    public virtual long LabelDistance => 0;

    /// <summary>Offset of the label that a relocation of an object refers to in the target's place; 0 for the target itself.</summary>
    public virtual long LabelOffset(RelocKind kind, long addend) => 0;

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
