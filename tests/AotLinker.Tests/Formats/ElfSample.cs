using System.Text;
using AotLinker.Cpu;
using AotLinker.Formats.Elf;
using AotLinker.Layout;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Releases;
using AotLinker.Synthesize;

namespace AotLinker.Tests.Formats;

/// <summary>
/// A program of a few symbols, laid out by hand as the layout passes do it, so that the ELF format can be run on its own: text,
/// read-only data, tables of the dynamic linker, data, zeroed data and a debug section.
/// </summary>
internal sealed class ElfSample
{
    private readonly ElfFormat _format;

    private ElfSample(Target target, Release release, ElfOptions options, LinkSettings settings, int threads)
    {
        _format = new ElfFormat(target, release, options);
        Context = new LinkContext
        {
            Options = null!,
            Target = target,
            Release = release,
            Workers = new Workers(threads),
            Symbols = new SymbolTable(release, target),
            Settings = settings,
            Format = _format,
        };
    }

    public LinkContext Context { get; }

    public static Target Target(string goos, HeadType system, BuildMode mode, CpuArch? cpu = null) => new()
    {
        Goos = goos,
        Goarch = cpu?.Name ?? "amd64",
        Cpu = cpu ?? new Amd64(),
        HeadType = system,
        BuildMode = mode,
        LinkMode = LinkMode.Internal,
    };

    /// <summary>A dynamic program for Linux on a CPU, with the tables of the dynamic linker and nothing else.</summary>
    public static LinkContext Dynamic(CpuArch cpu)
    {
        ElfSample sample = new(Target("linux", HeadType.Linux, BuildMode.Exe, cpu), Release.Newest, new ElfOptions(), new LinkSettings(), 1);
        sample._format.InitTarget(sample.Context);
        sample._format.AddFormatSymbols(sample.Context);
        ArchSymbols.Run(sample.Context);
        return sample.Context;
    }

    /// <summary>Makes the file.</summary>
    /// <param name="system">The operating system.</param>
    /// <param name="mode">Executable or position-independent one.</param>
    /// <param name="imports">Imported functions, "name#version@library"; null for a program without dynamic linking.</param>
    /// <param name="options">Options of the format.</param>
    /// <param name="strip">No symbol table.</param>
    /// <param name="symbols">How many data symbols there are.</param>
    /// <param name="threads">Threads to use.</param>
    /// <param name="cpu">The CPU; amd64 unless given.</param>
    public static byte[] Build(
        HeadType system, BuildMode mode, string[]? imports, ElfOptions? options = null, bool strip = false, int symbols = 3, int threads = 1,
        CpuArch? cpu = null)
    {
        LinkSettings settings = new() { EntrySymbol = "_rt0", NoDynamic = imports is null, OmitSymbolTable = strip };
        ElfSample sample = new(Target("test", system, mode, cpu), Release.Newest, options ?? new ElfOptions(), settings, threads);
        return sample.Run(imports ?? [], symbols);
    }

    private byte[] Run(string[] imports, int dataSymbols)
    {
        SymbolTable symbols = Context.Symbols;
        _format.InitTarget(Context);
        _format.AddFormatSymbols(Context);
        ArchSymbols.Run(Context);

        SymbolId start = Symbol("runtime.text", SymbolKind.Text, 0);
        SymbolId entry = Symbol("_rt0", SymbolKind.Text, 32);
        SymbolId local = symbols.CreateUnnamed("main.local·func"u8, SymbolTable.StaticVersion);
        symbols.Update(local).SetKind(SymbolKind.Text).SetSize(32).SetReachable();
        Context.Text.AddRange([entry, local]);
        SymbolId end = Symbol("runtime.etext", SymbolKind.Text, 0);
        SymbolId constant = Symbol("main.constant", SymbolKind.RoData, 24);
        List<SymbolId> data = [];
        for (int i = 0; i < dataSymbols; i++)
            data.Add(Symbol($"main.variable{i}", SymbolKind.Data, 8));
        SymbolId zeroed = Symbol("main.zeroed", SymbolKind.Bss, 100);
        foreach (string import in imports)
            Import(import);
        if (!Context.Settings.NoDynamic)
        {
            if (Context.Target.IsPie)
                AddRelative(data[0], constant);
            _format.FinishDynamicTables(Context);
        }

        // Addresses, one segment after the other.
        Segment segment = Begin(Context.TextSegment, 5, Context.Settings.TextAddress);
        Section(segment, ".text", 5, [start, entry, local, end]);
        Tables(segment, 5, SymbolKind.ElfRxSect);
        segment = Next(segment, Context.RoDataSegment, 4);
        Section(segment, ".rodata", 4, [constant]);
        Tables(segment, 4, SymbolKind.ElfRoSect);
        if (Context.Target.UseRelro)
        {
            segment = Next(segment, Context.RelRoDataSegment, 6);
            Tables(segment, 6, SymbolKind.ElfRelRoSect);
        }
        segment = Next(segment, Context.DataSegment, 6);
        Tables(segment, 6, SymbolKind.ElfSect);
        Tables(segment, 6, SymbolKind.ElfGot);
        Section(segment, ".data", 6, [.. data]);
        segment.FileLength = segment.Length;
        Section(segment, ".bss", 6, [zeroed]);
        Next(segment, Context.DwarfSegment, 4);
        Section debug = Context.AddSection(Context.DwarfSegment, ".debug_info", 4);
        debug.Vaddr = Context.DwarfSegment.Vaddr;
        debug.Length = 11;
        debug.Align = 1;
        Context.DwarfSegment.Length = 11;
        Context.DwarfSegment.FileLength = 11;
        return Write();
    }

    private SymbolId Symbol(string name, SymbolKind kind, int size) =>
        Context.Symbols.Update(Encoding.UTF8.GetBytes(name), 0).SetKind(kind).SetSize(size).SetAlign(8).Symbol;

    private void Import(string import)
    {
        string[] parts = import.Split('#', '@');
        SymbolId s = Symbol("libc_" + parts[0], SymbolKind.DynImport, 0);
        Context.Symbols.ExternalNames[s] = parts[0];
        Context.Symbols.DynamicVersion[s] = parts[1];
        Context.Symbols.DynamicLibrary[s] = parts[2];
        _format.AddPltEntry(Context, s);
        _format.AddGotEntry(Context, s, 6);
    }

    private void AddRelative(SymbolId from, SymbolId to)
    {
        SymbolBuilder b = Context.Symbols.Update(from);
        b.SetSize(0);
        b.AddAddress(to, 4);
        Assert.True(_format.AddRelativeRelocation(Context, from, 0));
    }

    private static Segment Begin(Segment segment, int rwx, long address)
    {
        segment.Rwx = rwx;
        segment.Vaddr = (ulong)address;
        segment.FileOffset = 4096;
        return segment;
    }

    private Segment Next(Segment previous, Segment segment, int rwx)
    {
        ulong round = (ulong)Context.Settings.Round;
        if (previous != Context.DataSegment)
            previous.FileLength = previous.Length;
        segment.Rwx = rwx;
        segment.Vaddr = (previous.Vaddr + previous.Length + round - 1) / round * round;
        segment.FileOffset = (previous.FileOffset + previous.FileLength + round - 1) / round * round;
        return segment;
    }

    private void Section(Segment segment, string name, int rwx, SymbolId[] symbols)
    {
        Section section = Context.AddSection(segment, name, rwx);
        section.Align = 16;
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

    // Each table of the dynamic linker is a section of its own.
    private void Tables(Segment segment, int rwx, SymbolKind kind)
    {
        List<int> tables = [];
        for (int i = 1; i < Context.Symbols.Count; i++)
        {
            if (Context.Symbols.Kind(new SymbolId(i)) == kind)
                tables.Add(i);
        }
        Span<int> ordered = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(tables);
        if (kind == SymbolKind.ElfRoSect)
            _format.ArrangeReadOnlyTables(Context, ordered);
        foreach (int i in ordered)
            Section(segment, Context.Symbols.NameText(new SymbolId(i)), rwx, [new SymbolId(i)]);
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
                WriteContent(output);
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

    // What emission does, for the symbols that have content: absolute references and sizes are all there is in data.
    private void WriteContent(OutputFile output)
    {
        SymbolTable symbols = Context.Symbols;
        for (int i = 1; i < symbols.Count; i++)
        {
            SymbolId s = new(i);
            if (Context.SectionOf(s) is not { Segment: { } segment } || symbols.Kind(s) is SymbolKind.Text or SymbolKind.Bss)
                continue;
            byte[] content = new byte[symbols.Size(s)];
            if (Context.Generators.TryGetValue(s, out GeneratedContent generated))
                generated.Fill(Context, s, 0, content);
            else
                symbols.Data(s).CopyTo(content);
            RelocList relocs = symbols.Relocs(s);
            for (int r = 0; r < relocs.Count; r++)
            {
                if (relocs.Kind(r) is not (RelocKind.Addr or RelocKind.Size))
                    continue;
                SymbolId target = relocs.Target(r);
                long value = relocs.Kind(r) == RelocKind.Size ? symbols.Size(target) : symbols.Value(target) + relocs[r].Addend;
                byte[] field = BitConverter.GetBytes(value);
                if (Context.Target.IsBigEndian)
                    Array.Reverse(field);
                field.AsSpan(Context.Target.IsBigEndian ? field.Length - relocs[r].Size : 0, relocs[r].Size).CopyTo(content.AsSpan(relocs[r].Offset));
            }
            output.Write(segment.OffsetOf((ulong)symbols.Value(s)), content);
        }
    }
}
