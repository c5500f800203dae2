using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Formats.Elf;

/// <summary>
/// What ELF files for a CPU look like: the numbers in their headers, the interpreters of each system, and the code of the procedure
/// linkage table (cmd/link ld.ELFArch, and the ELF cases of each CPU's archinit, elfsetupplt and addpltsym). One file per CPU
/// derives from this; <see cref="Cpu.CpuArch.Elf"/> is the way to it.
/// </summary>
internal abstract class ElfCpu
{
    /// <summary>e_machine.</summary>
    public abstract ElfMachine Machine { get; }

    /// <summary>Name of the CPU family in messages about host objects.</summary>
    public abstract string FamilyName { get; }

    /// <summary>Whether host objects have 64-bit addresses.</summary>
    public abstract bool Is64 { get; }

    /// <summary>Whether host objects of either byte order are taken.</summary>
    public virtual bool HasBothByteOrders => false;

    /// <summary>
    /// Size of the field that a relocation of a host object changes, and of the addend where that stands in the field; null for a type
    /// that is not known (loadelf.relSize).
    /// </summary>
    public abstract (int Size, int AddendSize)? HostRelocationSize(uint type);

    /// <summary>Whether a symbol of a host object without a section of ours is only a mark of the CPU's tools.</summary>
    public virtual bool IsHostMark(ReadOnlySpan<byte> name) => false;

    /// <summary>Whether a symbol within a host object's code is only a label of the CPU's tools, not to be listed with the functions.</summary>
    public virtual bool IsHostLabel(ReadOnlySpan<byte> name) => false;

    /// <summary>Whether a local symbol of a host object only says what follows, code or data.</summary>
    public virtual bool IsMappingSymbol(ReadOnlySpan<byte> name) => false;

    /// <summary>Whether a symbol of a host object is looked up by name within that object, however it is bound.</summary>
    public virtual bool IsObjectWide(string name) => name == ".TOC.";

    /// <summary>Takes what the CPU keeps in a host symbol's st_other.</summary>
    public virtual void ReadSymbolOther(LinkContext ctx, SymbolId s, byte other)
    {
    }

    /// <summary>Whether relocations carry their addend (.rela rather than .rel).</summary>
    public abstract bool HasAddends { get; }

    /// <summary>Address where the file's headers are loaded when -T does not say otherwise; rounded up to the rounding quantum.</summary>
    public abstract long ImageBase { get; }

    /// <summary>Rounding of segments when -R does not say otherwise.</summary>
    public abstract long Round { get; }

    /// <summary>e_flags.</summary>
    public virtual uint Flags(HeadType system, Release release) => 0;

    /// <summary>
    /// e_flags once a host object with a section of attributes is linked in; null for any other section.
    /// </summary>
    /// <param name="flags">e_flags before the object.</param>
    /// <param name="type">Type of the section.</param>
    /// <param name="name">Name of the section.</param>
    /// <param name="content">Content of the section.</param>
    /// <param name="complaint">What is wrong with the section, for the log; null if nothing is.</param>
    public virtual uint? FlagsWithAttributes(uint flags, uint type, string name, ReadOnlySpan<byte> content, out string? complaint)
    {
        complaint = null;
        return null;
    }

    /// <summary>Offset of thread-local data from the thread pointer (relocsym, R_TLS_LE).</summary>
    public virtual long ThreadLocalOffset(LinkContext ctx, SymbolId target, long addend) => ctx.TlsOffset + addend;

    /// <summary>Whether there is a port to a system.</summary>
    public abstract bool Supports(HeadType system, Release release);

    /// <summary>Path of a system's interpreter; empty where cmd/link has none. "XXX" stands in cmd/link for ports that don't exist.</summary>
    public abstract string Interpreter(HeadType system, bool android, Release release);

    /// <summary>Path of musl's interpreter on Linux, used where only that one is installed; empty for none.</summary>
    public abstract string MuslInterpreter(Release release);

    /// <summary>Whether .dynamic lies in read-only memory.</summary>
    public virtual bool DynamicIsReadOnly => false;

    /// <summary>Whether -d is without effect.</summary>
    public virtual bool IgnoresNoDynamic => false;

    /// <summary>Size of an entry of .hash.</summary>
    public virtual int HashEntrySize => 4;

    /// <summary>
    /// Whether .plt is code that jumps through .got.plt. If not, it is a table of addresses that the dynamic linker fills.
    /// </summary>
    public virtual bool PltIsCode => true;

    /// <summary>Whether the PLT's slots lie in .got rather than .got.plt.</summary>
    public virtual bool PltUsesGot(Release release) => false;

    /// <summary>Size of an entry of .plt, and its alignment.</summary>
    public abstract int PltEntrySize { get; }

    /// <summary>Makes symbols for sections that only this CPU has.</summary>
    public virtual void AddStubSymbols(LinkContext ctx)
    {
    }

    /// <summary>Adds entries to .dynamic that only this CPU has.</summary>
    public virtual void AddDynamicEntries(Action<ElfDynamicTag, ulong> add)
    {
    }

    /// <summary>Describes the sections of <see cref="AddStubSymbols"/> once they have their place.</summary>
    public virtual void DescribeStubSections(LinkContext ctx, ElfFormat format)
    {
    }

    /// <summary>Makes symbols for sections that tell the CPU's ABI, in static programs as well.</summary>
    public virtual void AddAbiSymbols(LinkContext ctx)
    {
    }

    /// <summary>Adds and describes the sections and segments that tell the CPU's ABI.</summary>
    public virtual void DescribeAbiSections(LinkContext ctx, ElfFormat format)
    {
    }

    /// <summary>
    /// Whether an exported text symbol is marked as a function in .dynsym, given how it is exported; others are objects.
    /// </summary>
    public virtual bool ExportsFunction(bool exportedStatic, bool exportedDynamic) => exportedStatic || exportedDynamic;

    /// <summary>What the CPU adds to the visibility in a symbol's st_other.</summary>
    public virtual byte SymbolOther(LinkContext ctx, SymbolId s) => 0;

    /// <summary>Relocation type that adds the address the program was loaded at (RELATIVE).</summary>
    public abstract uint RelativeType { get; }

    /// <summary>Writes the first entry of .plt and the reserved entries of .got.plt (elfsetupplt).</summary>
    public abstract void SetUpPlt(LinkContext ctx, SymbolBuilder plt, SymbolBuilder gotPlt, SymbolId dynamic);

    /// <summary>
    /// Makes an entry in .plt, .got.plt and the PLT's relocations for a symbol that has its number in .dynsym; returns the entry's
    /// offset in .plt (addpltsym).
    /// </summary>
    public abstract int AddPltEntry(LinkContext ctx, SymbolId s, int dynamicId);
}
