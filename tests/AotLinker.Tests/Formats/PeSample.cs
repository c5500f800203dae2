using System.Text;
using AotLinker.Cpu;
using AotLinker.Emit;
using AotLinker.Formats.Pe;
using AotLinker.Layout;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Tests.Formats;

/// <summary>
/// A Windows program of a few symbols, laid out by hand as the layout passes do it: text, read-only data, data with imports, zeroed data
/// and two debug sections.
/// </summary>
internal sealed class PeSample
{
    private readonly PeFormat _format;

    public PeSample(BuildMode mode, bool isGui = false, bool strip = false, int threads = 1, string release = "go1.27")
    {
        Target target = new()
        {
            Goos = "windows",
            Goarch = "amd64",
            Cpu = new Amd64(),
            HeadType = HeadType.Windows,
            BuildMode = mode,
            LinkMode = LinkMode.Internal,
        };
        _format = new PeFormat(target, Release.ForVersion(release)!, isGui);
        Release known = Release.ForVersion(release)!;
        Context = new LinkContext
        {
            Options = null!,
            Target = target,
            Release = known,
            Workers = new Workers(threads),
            Symbols = new SymbolTable(known, target),
            Settings = new LinkSettings { EntrySymbol = "_rt0", OmitSymbolTable = strip },
            Format = _format,
        };
    }

    public LinkContext Context { get; }

    /// <summary>Makes the file.</summary>
    /// <param name="imports">Imported functions, "name@library".</param>
    /// <param name="addresses">How many data symbols hold an address; two of three are in one page.</param>
    /// <param name="dataStep">Bytes of each of them.</param>
    public byte[] Build(string[] imports, int addresses = 3, int dataStep = 8)
    {
        SymbolTable symbols = Context.Symbols;
        _format.InitTarget(Context);
        _format.SetUpImage(Context);
        List<SymbolId> imported = [.. imports.Select(Import)];
        SymbolId unused = Import("Unused@never.dll");
        symbols.Update(unused).SetReachable(false);
        _format.AddFormatSymbols(Context);

        SymbolId start = Symbol("runtime.text", SymbolKind.Text, 0);
        SymbolId entry = Symbol("_rt0", SymbolKind.Text, 0);
        symbols.Update(entry).AddBytes(new byte[32]);
        SymbolId local = symbols.CreateUnnamed("main.a"u8, SymbolTable.StaticVersion);
        symbols.Update(local).SetKind(SymbolKind.Text).SetReachable().AddBytes(new byte[32]);
        Context.Text.AddRange([entry, local]);
        SymbolId end = Symbol("runtime.etext", SymbolKind.Text, 0);
        Segment text = Context.TextSegment;
        text.Vaddr = (ulong)Context.Settings.TextAddress;
        text.FileOffset = (ulong)Context.Settings.HeaderReserve;
        Section(text, ".text", [start, entry, local, end]);
        _format.TextPlaced(Context);

        SymbolId constant = Symbol("main.constant", SymbolKind.RoData, 24);
        SymbolId config = symbols.Lookup("_load_config_used"u8, 0);
        Segment previous = Next(text, Context.RoDataSegment);
        Section(previous, ".rodata", config.IsNone ? [constant] : [constant, config]);
        Segment data = Next(previous, Context.DataSegment);
        Section(data, ".windynamic", [symbols.Lookup(".windynamic"u8, 0)]);
        foreach (SymbolId import in imported)
        {
            symbols.SetValue(import, symbols.Value(import) + symbols.Value(symbols.Lookup(".windynamic"u8, 0)));
            symbols.SetSectionIndex(import, symbols.SectionIndex(symbols.Lookup(".windynamic"u8, 0)));
        }
        List<SymbolId> variables = [];
        for (int i = 0; i < addresses; i++)
        {
            SymbolBuilder b = symbols.Update(Symbol($"main.variable{i}", SymbolKind.Data, 0));
            b.AddAddress(constant, i);
            b.Grow(dataStep);
            variables.Add(b.Symbol);
        }
        Section(data, ".data", [.. variables]);
        Context.Data = [.. variables.Select(s => s.Index)];
        data.FileLength = data.Length;
        Section(data, ".bss", [Symbol("main.zeroed", SymbolKind.Bss, 100)]);
        Segment dwarf = Next(data, Context.DwarfSegment);
        AddDebug(dwarf, ".debug_info", 11);
        AddDebug(dwarf, ".zdebug_line", 700);
        return Write();
    }

    private SymbolId Symbol(string name, SymbolKind kind, int size) =>
        Context.Symbols.Update(Encoding.UTF8.GetBytes(name), 0).SetKind(kind).SetSize(size).SetAlign(8).Symbol;

    private SymbolId Import(string import)
    {
        string[] parts = import.Split('@');
        SymbolId s = Symbol("runtime._" + parts[0].Split('%')[0], SymbolKind.DynImport, 0);
        Context.Symbols.ExternalNames[s] = parts[0];
        Context.Symbols.DynamicLibrary[s] = parts[1];
        return s;
    }

    private Segment Next(Segment previous, Segment segment)
    {
        const ulong Page = 4096;
        if (previous != Context.DataSegment)
            previous.FileLength = previous.Length;
        segment.Vaddr = (previous.Vaddr + previous.Length + Page - 1) / Page * Page;
        segment.FileOffset = _format.NextSegmentOffset(Context, previous, segment);
        return segment;
    }

    private void Section(Segment segment, string name, SymbolId[] symbols)
    {
        Section section = Context.AddSection(segment, name, 6);
        ulong at = (segment.Vaddr + segment.Length + 15) & ~15ul;
        section.Vaddr = at;
        foreach (SymbolId s in symbols)
        {
            Context.Symbols.SetValue(s, (long)at);
            Context.Symbols.SetSectionIndex(s, section.Index);
            at += (ulong)Context.Symbols.Size(s);
        }
        section.Length = at - section.Vaddr;
        segment.Length = at - segment.Vaddr;
    }

    private void AddDebug(Segment dwarf, string name, ulong length)
    {
        Section section = Context.AddSection(dwarf, name, 4);
        section.Vaddr = (dwarf.Vaddr + dwarf.Length + PeConstants.FileAlign - 1) / PeConstants.FileAlign * PeConstants.FileAlign;
        section.Length = length;
        dwarf.Length = section.End - dwarf.Vaddr;
        dwarf.FileLength = dwarf.Length;
    }

    private byte[] Write()
    {
        long length = _format.SizeTables(Context);
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        try
        {
            using (OutputFile output = OutputFile.Create(path, length, OutputOptions.Default))
            {
                Context.Output = output;
                Relocator relocator = new(Context);
                foreach (SymbolId s in (IEnumerable<SymbolId>)[.. Context.Text, .. Context.Data.Select(id => new SymbolId(id)), Context.Symbols.Lookup(".windynamic"u8, 0)])
                {
                    byte[] content = new byte[Context.Symbols.Size(s)];
                    if (Context.Generators.TryGetValue(s, out GeneratedContent generated))
                        generated.Fill(Context, s, 0, content);
                    else
                        Context.Symbols.Data(s).CopyTo(content);
                    relocator.Apply(s, content);
                    output.Write(Context.SectionOf(s)!.Segment!.OffsetOf((ulong)Context.Symbols.Value(s)), content);
                }
                _format.WriteTables(Context);
                output.Commit();
            }
            return File.ReadAllBytes(path);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
