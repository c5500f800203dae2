using AotLinker.Finish;
using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Formats.Elf;

/// <summary>
/// What ELF files for a CPU look like: the numbers in their headers, the interpreters of each system, and the code of the procedure
/// linkage table (cmd/link ld.ELFArch, and the ELF cases of each CPU's archinit, elfsetupplt and addpltsym). One file per CPU
/// derives from this: a table of what is fixed, then what it does. <see cref="Cpu.CpuArch.Elf"/> is the way to it.
/// </summary>
internal abstract class ElfCpu
{
    /// <summary>e_machine.</summary>
    public required ElfMachine Machine { get; init; }

    /// <summary>Name of the CPU family in messages about host objects.</summary>
    public required string FamilyName { get; init; }

    /// <summary>Whether host objects have 64-bit addresses.</summary>
    public required bool Is64 { get; init; }

    /// <summary>Whether host objects of either byte order are taken.</summary>
    public bool HasBothByteOrders { get; init; }

    /// <summary>Whether relocations carry their addend (.rela rather than .rel).</summary>
    public required bool HasAddends { get; init; }

    /// <summary>Address where the file's headers are loaded when -T does not say otherwise; rounded up to the rounding quantum.</summary>
    public required long ImageBase { get; init; }

    /// <summary>Rounding of segments when -R does not say otherwise.</summary>
    public required long Round { get; init; }

    /// <summary>e_flags, where they are the same for all systems and releases.</summary>
    public uint FixedFlags { get; init; }

    /// <summary>The systems there are ports to, with the path of each one's interpreter.</summary>
    public required (HeadType System, string Interpreter)[] Systems { get; init; }

    /// <summary>Path of Linux's interpreter for releases that do not follow the CPUs' ELF supplements, where it is another one.</summary>
    public string? EarlierLinuxInterpreter { get; init; }

    /// <summary>Path of Android's interpreter; empty where cmd/link has none.</summary>
    public string AndroidInterpreter { get; init; } = "";

    /// <summary>Path of musl's interpreter on Linux, used where only that one is installed; empty for none.</summary>
    public required string MuslInterpreter { get; init; }

    /// <summary>Whether releases that do not follow the CPUs' ELF supplements know of musl's interpreter.</summary>
    public bool AlwaysKnewMusl { get; init; } = true;

    /// <summary>Whether .dynamic lies in read-only memory.</summary>
    public bool DynamicIsReadOnly { get; init; }

    /// <summary>Whether -d is without effect.</summary>
    public bool IgnoresNoDynamic { get; init; }

    /// <summary>Size of an entry of .hash.</summary>
    public int HashEntrySize { get; init; } = 4;

    /// <summary>
    /// Whether .plt is code that jumps through .got.plt. If not, it is a table of addresses that the dynamic linker fills.
    /// </summary>
    public bool PltIsCode { get; init; } = true;

    /// <summary>The sections of <see cref="DescribeAbiSections"/>.</summary>
    public string[] AbiSections { get; init; } = [];

    /// <summary>The sections of <see cref="DescribeStubSections"/>.</summary>
    public string[] StubSections { get; init; } = [];

    /// <summary>Size of an entry of .plt as section headers tell it, and its alignment; cmd/link names the true size for a few CPUs only.</summary>
    public required int PltEntrySize { get; init; }

    /// <summary>Relocation type that adds the address the program was loaded at (RELATIVE).</summary>
    public required uint RelativeType { get; init; }

    /// <summary>
    /// Whether 64-bit relocations of host objects keep the symbol and up to three types in fields of their own, in an order that does
    /// not depend on the byte order, rather than in one number.
    /// </summary>
    public bool SplitsRelocationInfo { get; init; }

    /// <summary>Whether objects for an external linker are known.</summary>
    public bool MakesObjects { get; init; }

    /// <summary>An option that an external linker must take to link the CPU's code, and what is said if it doesn't; null for none.</summary>
    public virtual (string Option, string Complaint)? NeededLinkerOption => null;

    /// <summary>What an external linker is told for programs of a system on the CPU, beside what the system says.</summary>
    public virtual IReadOnlyList<string> LinkerOptions(HeadType system) => [];

    /// <summary>Whether <see cref="OtherLinker"/> asks the external linker for its version.</summary>
    public virtual bool NeedsLinkerVersion(LinkContext ctx) => false;

    /// <summary>The linker that the C compiler shall run in the place of its own, which can't link such code (-fuse-ld); null for its own.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="host">The external linker, which is asked for its version.</param>
    /// <exception cref="LinkException">There is no such linker.</exception>
    public virtual string? OtherLinker(LinkContext ctx, HostLinker host) => null;

    /// <summary>How many relocations of an object stand for one that is left to an external linker.</summary>
    public virtual int ObjectRelocationParts(RelocKind kind) => 1;

    /// <summary>
    /// Name of the labels at the places of some relocations, <see cref="NeedsObjectLabel"/>, which other relocations refer to; empty for
    /// none (GenSymsLate).
    /// </summary>
    public virtual ReadOnlySpan<byte> ObjectLabelName => [];

    /// <summary>Whether the place of a relocation of code needs a label. At the start of a function there is one already.</summary>
    public virtual bool NeedsObjectLabel(RelocKind kind) => false;

    /// <summary>What a relocation that is left to an external linker is in an object (elfreloc1); null where there is nothing.</summary>
    public virtual ElfObjectRelocation? ObjectRelocation(in ElfRelocationRequest r) => null;

    /// <summary>Whether there is a port to a system.</summary>
    public bool Supports(HeadType system) => Array.Exists(Systems, one => one.System == system);

    /// <summary>Path of a system's interpreter; empty where cmd/link has none.</summary>
    public string Interpreter(HeadType system, bool android, Release release)
    {
        if (android)
            return AndroidInterpreter;
        return system == HeadType.Linux && EarlierLinuxInterpreter is { } earlier && !release.FollowsElfSupplements
            ? earlier
            : Array.Find(Systems, one => one.System == system).Interpreter;
    }

    /// <summary>Path of musl's interpreter as a release knows it; empty for none.</summary>
    public string MuslInterpreterOf(Release release) => AlwaysKnewMusl || release.FollowsElfSupplements ? MuslInterpreter : "";

    /// <summary>
    /// Size of the field that a relocation of a host object changes, and of the addend where that stands in the field; null for a type
    /// that is not known (loadelf.relSize).
    /// </summary>
    public abstract (int Size, int AddendSize)? HostRelocationSize(uint type);

    /// <summary>Whether a release knows a type of <see cref="HostRelocationSize"/>.</summary>
    public virtual bool KnowsRelocation(uint type, Release release) => true;

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

    /// <summary>e_flags.</summary>
    public virtual uint Flags(HeadType system, Release release) => FixedFlags;

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

    /// <summary>Whether the PLT's slots lie in .got rather than .got.plt.</summary>
    public virtual bool PltUsesGot(Release release) => false;

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

    /// <summary>Writes the first entry of .plt and the reserved entries of .got.plt (elfsetupplt).</summary>
    public abstract void SetUpPlt(LinkContext ctx, SymbolBuilder plt, SymbolBuilder gotPlt, SymbolId dynamic);

    /// <summary>
    /// Makes an entry in .plt, .got.plt and the PLT's relocations for a symbol that has its number in .dynsym; returns the entry's
    /// offset in .plt (addpltsym).
    /// </summary>
    public abstract int AddPltEntry(LinkContext ctx, SymbolId s, int dynamicId);
}
