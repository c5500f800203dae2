using AotLinker.Objects;

namespace AotLinker.Formats.MachO;

/// <summary>What Mach-O files for one CPU look like.</summary>
internal abstract class MachOCpu
{
    /// <summary>CPU type (mach/machine.h).</summary>
    public abstract uint CpuType { get; }

    /// <summary>CPU subtype.</summary>
    public abstract uint CpuSubtype { get; }

    /// <summary>Address of the header when -T does not say otherwise.</summary>
    public abstract long ImageBase { get; }

    /// <summary>Rounding of segments when -R does not say otherwise: the system's page size.</summary>
    public abstract long Round { get; }

    /// <summary>Offset of g from the thread pointer (computeTLSOffset).</summary>
    public virtual int TlsOffset => 0;

    /// <summary>Whether the system only runs programs that are signed.</summary>
    public virtual bool NeedsCodeSignature => false;

    /// <summary>Whether some C functions have a second version for inodes of 64 bits, with a name of its own.</summary>
    public virtual bool HasWideInodeNames => false;

    /// <summary>Adds the load command that tells where the program starts.</summary>
    /// <param name="header">The header.</param>
    /// <param name="entry">Address of the entry point.</param>
    /// <param name="image">Address of the header.</param>
    public abstract void AddEntryCommand(MachOHeader header, ulong entry, ulong image);

    /// <summary>Appends a stub, which jumps to where an entry of the GOT points.</summary>
    /// <param name="stubs">The stubs.</param>
    /// <param name="got">The GOT.</param>
    /// <param name="offset">The entry's offset.</param>
    public abstract void AddStub(SymbolBuilder stubs, SymbolId got, int offset);
}
