using AotLinker.Formats.Elf;
using AotLinker.Objects;
using AotLinker.Synthesize;

namespace AotLinker.Cpu;

/// <summary>
/// 64-bit PowerPC in either byte order. Direct calls reach ±32 MiB. Addresses come in halves, in a pair of instructions that one
/// relocation of eight bytes covers; the upper half makes up for the sign of the lower.
/// </summary>
/// <remarks>
/// Position-independent code keeps the address of the table of contents (.TOC.) in r2, and its functions begin with two instructions
/// that compute it from r12; direct calls jump past these. From POWER10 on (GOPPC64=power10, Linux only) code reaches data relative to
/// the pc with prefixed instructions and needs no r2. Calls of imported functions go to stubs at the start of the text, for the PLT is
/// a mere table of addresses.
/// </remarks>
/// <param name="isBigEndian">ppc64 rather than ppc64le.</param>
/// <param name="level">Generation that GOPPC64 names.</param>
/// <param name="system">System linked for.</param>
internal sealed partial class Ppc64(bool isBigEndian, int level, HeadType system) : CpuArch
{
    // A table of contents is addressed from its middle.
    private const long TocMiddle = 0x8000;

    private readonly List<SymbolId> _tocs = [];
    private readonly SymbolId[] _plainEntries = new SymbolId[4];
    private long _tocAddress;

    /// <inheritdoc/>
    public override string Name => isBigEndian ? "ppc64" : "ppc64le";

    /// <inheritdoc/>
    public override int PointerSize => 8;

    /// <inheritdoc/>
    public override bool IsBigEndian => isBigEndian;

    /// <inheritdoc/>
    public override int MinLc => 4;

    /// <inheritdoc/>
    public override int FunctionAlign => 16;

    /// <inheritdoc/>
    public override int MaxAlign => 32;

    /// <inheritdoc/>
    public override int MinAlign => 1;

    /// <inheritdoc/>
    public override int FixedFrameSize => 32;

    /// <inheritdoc/>
    public override bool HasLinkRegister => true;

    /// <inheritdoc/>
    public override bool HasRegisterAbi => true;

    /// <inheritdoc/>
    public override int DwarfStackRegister => 1;

    /// <inheritdoc/>
    public override int DwarfReturnRegister => 65;

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> CodePad => default;

    /// <inheritdoc/>
    public override IReadOnlyList<string> HostCompilerArguments(Target target) => [target.HasFunctionDescriptors ? "-maix64" : "-m64"];

    /// <inheritdoc/>
    public override bool LinksModules => true;

    /// <inheritdoc/>
    public override ElfCpu Elf { get; } = new ElfPpc64(isBigEndian, HasPcRelativeCode(level, system), level >= 10);

    /// <summary>Whether Go code reaches data relative to the pc and so has no table of contents (hasPCrel).</summary>
    private bool IsPcRelative { get; } = HasPcRelativeCode(level, system);

    /// <inheritdoc/>
    public override void DefineForeignSymbols(LinkContext ctx)
    {
        if (ctx.Target.IsExternal && ctx.Target.IsElf)
        {
            ctx.Symbols.Update(".TOC."u8, 0).SetKind(SymbolKind.DynImport);
        }
    }

    /// <inheritdoc/>
    public override void DefineArchSymbols(LinkContext ctx)
    {
        ctx.Known.Toc = ArchSymbols.Live(ctx, "TOC"u8);
        for (int version = 0; version < 2; version++)
        {
            _tocs.Add(ArchSymbols.Live(ctx, ".TOC."u8, version));
        }
        // Each host object has a table of its own to refer to, all of them the same one.
        for (int version = ctx.HostObjectVersions.Start.Value; version < ctx.HostObjectVersions.End.Value; version++)
        {
            if (ctx.Symbols.Lookup(".TOC."u8, version) is { IsNone: false } toc)
            {
                ctx.Symbols.Set(toc, SymbolTable.Attributes.Reachable);
                _tocs.Add(toc);
            }
        }
    }

    /// <summary>The table of contents is the GOT, or where there is none it is thought to be at the start of data.</summary>
    public override void AddressesAssigned(LinkContext ctx)
    {
        SymbolTable symbols = ctx.Symbols;
        if (ctx.Target.IsElf)
        {
            long got = symbols.Value(ctx.Known.Got);
            _tocAddress = (got != 0 ? got : (long)ctx.DataSegment.Vaddr) + TocMiddle;
            foreach (SymbolId toc in _tocs)
            {
                symbols.SetValue(toc, _tocAddress);
            }
        }
        for (int version = 0; version < 2; version++)
        {
            _plainEntries[version] = symbols.Lookup("runtime.duffzero"u8, version);
            _plainEntries[2 + version] = symbols.Lookup("runtime.duffcopy"u8, version);
        }
    }

    /// <summary>.TOC. has a value but no kind.</summary>
    public override bool ResolvesUndefined(LinkContext ctx, SymbolId target) => ctx.Symbols.Name(target).SequenceEqual(".TOC."u8);

    private static bool HasPcRelativeCode(int level, HeadType system) => level >= 10 && system == HeadType.Linux;
}
