using System.Text;
using AotLinker.Hashing;
using AotLinker.Objects;
using AotLinker.Releases;
using AotLinker.Synthesize;

namespace AotLinker.Formats.Elf;

/// <summary>
/// ELF, 32 and 64 bits, either byte order, for all systems that use it. The file is: file header, program headers, section headers, a
/// gap, interpreter and notes (all within the reserve in front of the text); the segments; symbol and string table; section names.
/// </summary>
/// <remarks>
/// <para>The sources are the System V ABI with its CPU supplements, the GNU extensions (symbol versions, GNU_STACK, GNU_RELRO, build
/// ID), and for every order and default cmd/link's elf.go and symtab.go.</para>
/// <para>What depends on the CPU is asked of <see cref="ElfCpu"/>, what depends on the system of <see cref="ElfOs"/>.</para>
/// <para>Partial files: this one (choice of target, shared state), dynamic linking, headers.</para>
/// </remarks>
internal sealed partial class ElfFormat : OutputFormat
{
    // The room for headers, interpreter and notes. FreeBSD wants all of them within one page.
    private const int HeaderReserve = 4096;

    private readonly ElfOptions _options;
    private readonly ElfCpu _cpu;
    private readonly ElfOs _os;
    private readonly ElfEncoding _encoding;
    private readonly ElfHeaders _headers;
    private readonly byte[] _gnuBuildId;

    /// <summary>ELF for a target.</summary>
    /// <exception cref="LinkException">There is no such port.</exception>
    public ElfFormat(Target target, Release release, ElfOptions options)
    {
        if (target.Cpu.Elf is not { } cpu || !cpu.Supports(target.HeadType))
            throw new LinkException($"unknown -H option: {target.HeadType.ToString().ToLowerInvariant()}");
        _options = options;
        _cpu = cpu;
        _os = ElfOs.For(target.HeadType);
        _encoding = new ElfEncoding(target.PointerSize == 8, target.IsBigEndian);
        _relocations = new ElfRelocationTable(_encoding, cpu.HasAddends);
        _headers = new ElfHeaders(_encoding, RelocationPrefix);
        Flags = cpu.Flags(target.HeadType, release);
        _gnuBuildId = options.GnuBuildIdFromGo ? HashBuildId(options.BuildId, release) : options.GnuBuildId;
    }

    /// <inheritdoc/>
    public override bool LinksModules => true;

    /// <inheritdoc/>
    public override string Name => "elf";

    /// <inheritdoc/>
    public override bool HasBuildIdNote => true;

    /// <inheritdoc/>
    public override bool HasInitialExecTls => true;

    /// <inheritdoc/>
    public override void DefineKnownSymbols(LinkContext ctx)
    {
        ctx.Known.Rel = ArchSymbols.Live(ctx, ".rel"u8);
        ctx.Known.Rela = ArchSymbols.Live(ctx, ".rela"u8);
        ctx.Known.RelPlt = ArchSymbols.Live(ctx, ".rel.plt"u8);
        ctx.Known.RelaPlt = ArchSymbols.Live(ctx, ".rela.plt"u8);
    }

    /// <summary>e_flags. Host objects may change them.</summary>
    public uint Flags { get; set; }

    /// <summary>The headers, to which a CPU may add its own.</summary>
    public ElfHeaders Headers => _headers;

    /// <inheritdoc/>
    public override bool AllowsImportedTargets => _os.ResolvesImportsLate;

    /// <inheritdoc/>
    public override bool AddressesImportsByPlt => _os.AddressesImportsByPlt;

    /// <summary>".rela" or ".rel": how the names of relocation sections begin.</summary>
    private string RelocationPrefix => _cpu.HasAddends ? ".rela" : ".rel";

    private int DynamicRelocationSize => _cpu.HasAddends ? _encoding.RelaSize : _encoding.RelSize;

    /// <inheritdoc/>
    public override long ThreadLocalOffset(LinkContext ctx, SymbolId target, long addend) => _cpu.ThreadLocalOffset(ctx, target, addend);

    /// <inheritdoc/>
    public override bool HasReadOnlySegment(LinkContext ctx) => ctx.Target.IsInternal;

    /// <inheritdoc/>
    public override bool HasRelRoSegment(LinkContext ctx) => ctx.Target.IsInternal;

    /// <inheritdoc/>
    public override bool HasThreadLocalSection(LinkContext ctx) => ctx.Target.IsExternal || !ctx.Settings.NoDynamic;

    /// <inheritdoc/>
    public override void InitTarget(LinkContext ctx)
    {
        LinkSettings settings = ctx.Settings;
        // The thread pointer points behind the block; Go's only thread-local word is its last one.
        ctx.TlsOffset = -ctx.Target.PointerSize;
        if (_cpu.IgnoresNoDynamic)
            settings.NoDynamic = false;
        settings.HeaderReserve = HeaderReserve;
        if (settings.Round == -1)
            settings.Round = _cpu.Round;
        if (settings.TextAddress == -1)
            settings.TextAddress = RoundUp(_cpu.ImageBase, settings.Round) + HeaderReserve;
    }

    /// <inheritdoc/>
    public override void SectionsPlaced(LinkContext ctx)
    {
        PlaceAbiHash(ctx);
        if (!_os.KeepsEndSymbols)
            return;
        // The runtime gave the end markers the names the system's C library looks for; the markers keep their own, and symbols of
        // those names are made beside them.
        KeepEndSymbol(ctx, "runtime.etext"u8, "_etext"u8);
        KeepEndSymbol(ctx, "runtime.edata"u8, "_edata"u8);
        KeepEndSymbol(ctx, "runtime.end"u8, "_end"u8);
    }

    private static void KeepEndSymbol(LinkContext ctx, ReadOnlySpan<byte> marker, ReadOnlySpan<byte> name)
    {
        SymbolTable symbols = ctx.Symbols;
        SymbolId s = symbols.Lookup(marker, 0);
        symbols.ExternalNames[s] = Encoding.UTF8.GetString(marker);
        SymbolId end = ctx.DefineMarker(name, symbols.Kind(s), symbols.Value(s));
        symbols.SetSectionIndex(end, symbols.SectionIndex(s));
    }

    // A build ID of the GNU tools has the length of a SHA-1.
    private static byte[] HashBuildId(string id, Release release)
    {
        Span<byte> hash = stackalloc byte[Sha256.DigestSize];
        ToolHash.Sum32(RawText.Encode(id), hash, release.ToolHashMask);
        return hash[..20].ToArray();
    }

    private static long RoundUp(long value, long to) => (value + to - 1) / to * to;

    private static LinkException Error(string text) => new(MessageForm.Bare, text);
}
