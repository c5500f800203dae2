using AotLinker.Emit;
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

    /// <summary>Whether addends of relocations in objects stand in the fields, and not in relocations of their own.</summary>
    public abstract bool HasAddendsInFields { get; }

    /// <summary>Whether a relocation is only the addend of the one behind it.</summary>
    public virtual bool IsAddend(MachORelocation r) => false;

    /// <summary>Whether a reference to a section is the distance from the end of the field.</summary>
    public virtual bool CountsFromInstruction(MachORelocation r) => false;

    /// <summary>Whether a relocation is that of an address.</summary>
    public virtual bool IsAddress(MachORelocation r) => false;

    /// <summary>
    /// How far from a symbol a relocation of an object reaches, as a power of two; beyond that there are labels, symbols that stand for a place
    /// in another. 0 where fields hold addends and all reach.
    /// </summary>
    public virtual long LabelDistance => 0;

    /// <summary>How many relocations of an object stand for one that is left to an external linker (Machoreloc1).</summary>
    public virtual int ObjectRelocationParts(in ExternalReloc left) => 1;

    /// <summary>A relocation of an object; null where the format has none (Machoreloc1).</summary>
    /// <param name="left">The relocation that it stands for, and which of several it is.</param>
    /// <param name="size">Size of the field in bytes.</param>
    public abstract MachOObjectRelocation? ObjectRelocation(in ExternalReloc left, int size);

    /// <summary>Whether a relocation is that of a call, which has no addend.</summary>
    public virtual bool IsCall(RelocKind kind) => false;

    /// <summary>Whether a call of something that another library has, or that lies in another section, counts from the end of the field.</summary>
    public virtual bool CallsCountFromEnd => false;

    /// <summary>The name of a relocation type, for messages.</summary>
    public abstract string RelocationName(uint type);

    /// <summary>Reports a relocation of a host object that the CPU has no way to do.</summary>
    /// <returns>False: it is not taken care of.</returns>
    public bool Refuse(LinkContext ctx, SymbolId s, uint hostType)
    {
        // Go's number for the type, behind its own kinds and those of ELF.
        const uint FirstNumber = 512;
        ctx.Diagnostics.Error(ctx.Symbols.Name(s), $"unexpected relocation type {FirstNumber + hostType} ({RelocationName(hostType >> 1)})");
        return false;
    }

    /// <summary>
    /// Turns a pair that gives the distance of two symbols into one relocation: what is subtracted lies in the section that holds the
    /// field, so it is a distance from there.
    /// </summary>
    /// <param name="ctx">The link.</param>
    /// <param name="s">The section's symbol.</param>
    /// <param name="reloc">The first relocation, which names what is subtracted.</param>
    /// <param name="address">The host's type of the second.</param>
    /// <param name="name">Name of the first's type.</param>
    /// <param name="second">Name of the second's type and, in words of the message, where it must be.</param>
    /// <returns>Whether it was done.</returns>
    public static bool ConvertDifference(LinkContext ctx, SymbolId s, int reloc, uint address, string name, string second)
    {
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        RelocRecord r = relocs[reloc];
        SymbolId subtracted = relocs.Target(reloc);
        SymbolId outer = symbols.Outer(subtracted);
        long within = outer.IsNone ? 0 : symbols.Value(subtracted) - symbols.Value(outer);
        if (outer.IsNone)
            outer = subtracted;
        if (outer != s)
        {
            ctx.Diagnostics.Error(symbols.Name(s), $"unsupported {name} reloc: target {symbols.NameText(subtracted)}, outer {symbols.NameText(outer)}");
            return false;
        }
        if (reloc + 1 >= relocs.Count || relocs.Kind(reloc + 1) != RelocKind.Host || relocs.HostType(reloc + 1) != address
            || relocs[reloc + 1].Offset != r.Offset)
        {
            ctx.Diagnostics.Error(symbols.Name(s), $"unexpected {name} reloc, must be followed by {second}");
            return false;
        }
        SymbolBuilder b = symbols.Update(s);
        b.SetRelocKind(reloc + 1, RelocKind.PcRel);
        b.SetRelocAddend(reloc + 1, r.Addend + r.Offset + (ctx.Release.KnowsMachODifferences ? r.Size : 0) - within);
        b.SetRelocSize(reloc, 0);
        return true;
    }
}
