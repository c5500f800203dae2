using System.Text;
using AotLinker.Cli;
using AotLinker.Cpu;
using AotLinker.Formats;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Releases;
using AotLinker.Resolve;
using AotLinker.Tests.Objects;

namespace AotLinker.Tests.Layout;

/// <summary>
/// A link without object files, unless some are added first: linker-made symbols, laid out and emitted by the real passes into a file of the
/// simplest format.
/// </summary>
internal sealed class TestLink : IDisposable
{
    private readonly MemoryStream _errors = new();
    private readonly string _path = Path.Combine(Path.GetTempPath(), $"layout-{Guid.NewGuid():N}");

    public TestLink(string release = "go1.27", int threads = 1, bool buffered = false, BuildMode mode = BuildMode.Exe, CpuArch? cpu = null,
        OutputFormat? format = null, HeadType system = HeadType.Linux, int shuffle = 0, LinkOptions? options = null)
    {
        Target target = new()
        {
            Goos = "linux",
            Goarch = cpu?.Name ?? "amd64",
            Cpu = cpu ?? new Amd64(),
            HeadType = system,
            BuildMode = mode,
            LinkMode = LinkMode.Internal,
        };
        Release known = Release.ForVersion(release)!;
        Ctx = new LinkContext
        {
            Options = options!,
            Target = target,
            Release = known,
            Workers = new Workers(threads, shuffle),
            Symbols = new SymbolTable(known, target),
            Settings = new LinkSettings { FunctionAlign = target.Cpu.FunctionAlign, NoDynamic = !target.IsAlwaysDynamic },
            Format = format ?? new FlatFormat(),
            Output = OutputFile.Open(_path, new OutputOptions { ForceBuffered = buffered }),
            Diagnostics = new Diagnostics("link", _errors, new MemoryStream()),
        };
        Ctx.Format.InitTarget(Ctx);
    }

    public LinkContext Ctx { get; }

    public SymbolTable Symbols => Ctx.Symbols;

    /// <summary>What was printed as errors, line by line.</summary>
    public string[] Errors => Encoding.UTF8.GetString(_errors.ToArray()).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Resolves objects, before any other symbol is made. All that they define is live.</summary>
    public GoObject[] AddObjects(params GoObjectWriter[] writers)
    {
        GoObject[] objects = new GoObject[SymbolTable.FirstObject + writers.Length];
        for (int i = 0; i < writers.Length; i++)
        {
            objects[i + SymbolTable.FirstObject] = writers[i].Open(i + SymbolTable.FirstObject);
        }
        Resolver.Run(Ctx, objects, new ResolveOptions(true, false, false, _ => { }));
        int end = Symbols.ExternalStart == 0 ? Symbols.Count : Symbols.ExternalStart;
        for (int id = 1; id < end; id++)
        {
            SymbolId s = new(id);
            Symbols.Set(s, SymbolTable.Attributes.Reachable);
            if (Symbols.Kind(s).IsText())
            {
                Ctx.Text.Add(s);
            }
        }
        return objects[SymbolTable.FirstObject..];
    }

    public SymbolBuilder Add(string name, SymbolKind kind, int size, int align = 0, int version = 0)
    {
        SymbolBuilder b = Symbols.Update(Encoding.UTF8.GetBytes(name), version).SetKind(kind).SetSize(size).SetAlign(align);
        if (kind.IsText())
        {
            Ctx.Text.Add(b.Symbol);
        }
        return b;
    }

    public SymbolBuilder AddBytes(string name, SymbolKind kind, ReadOnlySpan<byte> content)
    {
        SymbolBuilder b = Add(name, kind, content.Length);
        b.SetData(content);
        return b;
    }

    public SymbolId Find(string name) => Symbols.Lookup(Encoding.UTF8.GetBytes(name), 0);

    public long AddressOf(string name) => Symbols.Value(Find(name));

    /// <summary>Address of a symbol that only its object knows.</summary>
    public long AddressOfLocal(string name) => Symbols.Value(Symbols.Lookup(Encoding.UTF8.GetBytes(name), SymbolTable.StaticVersion));

    /// <summary>Runs layout; the tables of pclntab and symtab are there, empty.</summary>
    public void LayOut()
    {
        if (Ctx.Release.DataPlan.OrdersTypes)
        {
            Ctx.ModuleData = AddBytes("runtime.firstmoduledata", SymbolKind.ModuleData, new byte[64]).Symbol;
            Ctx.ModuleDataFields = new ModuleDataFields(8, 16, 24);
        }
        else
        {
            Add("runtime.typelink", SymbolKind.TypeLink, 0);
            Add("runtime.itablink", SymbolKind.ItabLink, 0);
        }
        if (Ctx.Release.HasSymbolTableSection)
            Add("runtime.symtab", SymbolKind.SymTab, 0);
        Add("runtime.gcdata", SymbolKind.RoData, 0);
        Add("runtime.gcbss", SymbolKind.RoData, 0);
        Symbols.NumberLive(Ctx.Workers, hasDebugInfo: false);
        Ctx.GroupKinds.EnsureCapacity(Symbols.Count);
        Ctx.GroupedCount = Symbols.Count;
        AotLinker.Layout.TextLayout.Run(Ctx);
        AotLinker.Layout.DataLayout.Run(Ctx);
        AotLinker.Layout.AddressLayout.AssignAddresses(Ctx);
        AotLinker.Layout.AddressLayout.AssignFileOffsets(Ctx);
        Ctx.Output.Resize(Ctx.Format.SizeTables(Ctx));
    }

    /// <summary>All of a generated symbol's content.</summary>
    public byte[] Generate(SymbolId s)
    {
        byte[] content = new byte[Symbols.Size(s)];
        Ctx.Generators[s].Fill(Ctx, s, 0, content);
        return Errors.Length == 0 ? content : throw new InvalidOperationException(string.Join('\n', Errors));
    }

    /// <summary>Bytes of the output at a symbol.</summary>
    public byte[] Read(string name, int count, int offset = 0)
    {
        SymbolId s = Find(name);
        byte[] bytes = new byte[count];
        Ctx.Output.Read(Ctx.SectionOf(s)!.Segment!.OffsetOf((ulong)Symbols.Value(s)) + offset, bytes);
        return bytes;
    }

    /// <summary>Bytes of the output at an address.</summary>
    public byte[] ReadAt(long address, int count)
    {
        byte[] bytes = new byte[count];
        AotLinker.Layout.Segment segment = Ctx.SegmentOrder.Last(s => (long)s.Vaddr <= address && s.Length > 0);
        Ctx.Output.Read(segment.OffsetOf((ulong)address), bytes);
        return bytes;
    }

    public byte[] ReadAll()
    {
        byte[] bytes = new byte[Ctx.Output.Length];
        Ctx.Output.Read(0, bytes);
        return bytes;
    }

    public void Dispose() => Ctx.Output.Dispose();

    /// <summary>Segments and nothing else.</summary>
    internal sealed class FlatFormat : OutputFormat
    {
        public override string Name => "flat";

        public override bool HasReadOnlySegment(LinkContext ctx) => true;

        public override void InitTarget(LinkContext ctx)
        {
            ctx.TlsOffset = -ctx.Target.PointerSize;
            ctx.Settings.HeaderReserve = 4096;
            ctx.Settings.Round = 4096;
            ctx.Settings.TextAddress = 0x401000;
        }

        public override void AddFormatSymbols(LinkContext ctx)
        {
        }

        public override void AddDynamicSymbol(LinkContext ctx, SymbolId s) => throw new InvalidOperationException();

        public override void AddGotEntry(LinkContext ctx, SymbolId s, uint relocType) => throw new InvalidOperationException();

        public override void AddPltEntry(LinkContext ctx, SymbolId s) => throw new InvalidOperationException();

        public override long SizeTables(LinkContext ctx)
        {
            AotLinker.Layout.Segment last = ctx.SegmentOrder[^1];
            return (long)(last.FileOffset + last.FileLength);
        }

        public override void WriteTables(LinkContext ctx)
        {
        }
    }
}
