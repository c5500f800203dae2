using System.Text;
using AotLinker.Objects;

namespace AotLinker.Layout;

/// <summary>Gives segments and sections their addresses (address) and places in the file (layout).</summary>
internal static class AddressLayout
{
    /// <summary>
    /// Moves every section to its address and every symbol with it, and defines the markers. Sets <see
    /// cref="LinkContext.SegmentOrder"/>.
    /// </summary>
    public static void AssignAddresses(LinkContext ctx)
    {
        ulong va = PlaceText(ctx);
        va = PlaceReadOnly(ctx, ctx.RoDataSegment, 4, va);
        va = PlaceReadOnly(ctx, ctx.RelRoDataSegment, 6, va);
        va = PlaceData(ctx, va);
        va = PlaceReadOnly(ctx, ctx.PDataSegment, 4, va);
        va = PlaceReadOnly(ctx, ctx.XDataSegment, 4, va);
        PlaceDwarf(ctx, va);
        MoveSymbols(ctx);
        DefineMarkers(ctx);
        ctx.Format.SectionsPlaced(ctx);
        ctx.Target.Cpu.AddressesAssigned(ctx);
    }

    /// <summary>Gives segments their places in the file.</summary>
    /// <returns>Offset behind the last segment.</returns>
    public static long AssignFileOffsets(LinkContext ctx)
    {
        Segment? previous = null;
        foreach (Segment segment in ctx.SegmentOrder)
        {
            segment.FileOffset = previous is null
                ? (ulong)ctx.Settings.HeaderReserve
                : ctx.Format.NextSegmentOffset(ctx, previous, segment);
            if (segment != ctx.DataSegment)
            {
                // The length of data in the file ends where zeroed data begins, and is known already.
                segment.FileLength = segment.Length;
            }
            previous = segment;
        }
        return (long)(previous!.FileOffset + previous.FileLength);
    }

    private static ulong Round(ulong value, long to) => to > 0 ? (value + (ulong)to - 1) / (ulong)to * (ulong)to : value;

    private static ulong PlaceText(LinkContext ctx)
    {
        Segment segment = ctx.TextSegment;
        segment.Rwx = 5;
        segment.Vaddr = (ulong)ctx.Settings.TextAddress;
        ulong va = PlaceSections(segment, segment.Vaddr, ctx.Format.MinDataAddress);
        segment.Length = va - segment.Vaddr;
        ctx.SegmentOrder.Add(segment);
        return va;
    }

    private static ulong PlaceSections(Segment segment, ulong va, ulong afterFirst = 0)
    {
        foreach (Section section in segment.Sections)
        {
            va = Round(va, section.Align);
            section.Vaddr = va;
            va = Math.Max(va + section.Length, afterFirst);
        }
        return va;
    }

    /// <summary>Begins a page of its own, so that nothing else shares the permissions.</summary>
    private static ulong PlaceReadOnly(LinkContext ctx, Segment segment, int rwx, ulong va)
    {
        if (segment.Sections.Count == 0)
        {
            return va;
        }
        va = Round(va, ctx.Settings.Round) + ctx.Format.AddressGap(ctx, segment);
        segment.Rwx = rwx;
        segment.Vaddr = va;
        va = PlaceSections(segment, va);
        segment.Length = va - segment.Vaddr;
        ctx.SegmentOrder.Add(segment);
        return va;
    }

    private static ulong PlaceData(LinkContext ctx, ulong va)
    {
        Segment segment = ctx.DataSegment;
        segment.Rwx = 6;
        if (ctx.Settings.DataAddress != -1 && (ulong)ctx.Settings.DataAddress < va)
        {
            // cmd/link looks for a segment's content among all data in order of address, and there finds that of others.
            throw new UnsupportedLinkException($"-D 0x{ctx.Settings.DataAddress:x}, below the end of read-only data (0x{va:x}),");
        }
        va = ctx.Settings.DataAddress != -1
            ? (ulong)ctx.Settings.DataAddress
            : Round(va, ctx.Settings.Round) + ctx.Format.AddressGap(ctx, segment);
        segment.Vaddr = va;
        bool skipsThreadLocal = ctx.Format.HasThreadLocalSection(ctx);
        List<Section> sections = segment.Sections;
        for (int i = 0; i < sections.Count; i++)
        {
            Section section = sections[i];
            if (IsThreadLocal(section))
            {
                continue;
            }
            // Sections keep the distances they were laid out with.
            ulong length = i + 1 < sections.Count && !IsThreadLocal(sections[i + 1]) ? sections[i + 1].Vaddr - section.Vaddr : section.Length;
            section.Vaddr = va;
            va += length;
            segment.Length = va - segment.Vaddr;
        }
        segment.FileLength = Find(ctx, ".bss").Vaddr - segment.Vaddr;
        ctx.SegmentOrder.Add(segment);
        return va;

        bool IsThreadLocal(Section section) => skipsThreadLocal && section.Name == ".tbss";
    }

    private static void PlaceDwarf(LinkContext ctx, ulong va)
    {
        Segment segment = ctx.DwarfSegment;
        va = Round(va, ctx.Settings.Round);
        segment.Rwx = 6;
        segment.Vaddr = va;
        List<Section> sections = segment.Sections;
        for (int i = 0; i < sections.Count; i++)
        {
            ulong length = i + 1 < sections.Count ? sections[i + 1].Vaddr - sections[i].Vaddr : sections[i].Length;
            sections[i].Vaddr = va;
            va = Round(va + length, ctx.Format.DwarfSectionRounding);
            segment.Length = va - segment.Vaddr;
        }
        ctx.SegmentOrder.Add(segment);
    }

    /// <summary>Turns the symbols' offsets in their sections into addresses.</summary>
    private static void MoveSymbols(LinkContext ctx)
    {
        const int Chunk = 1 << 14;
        SymbolTable symbols = ctx.Symbols;
        bool hasParts = symbols.Sub.Count != 0;
        foreach (Section? section in ctx.Sections)
        {
            if (section is null || section.SymbolCount == 0)
            {
                continue;
            }
            long by = (long)section.Vaddr;
            int first = section.FirstSymbol;
            ctx.Workers.ForChunks(section.SymbolCount, Chunk, (from, to, _) =>
            {
                foreach (int id in ctx.Data.AsSpan((first + from)..(first + to)))
                {
                    SymbolId s = new(id);
                    symbols.Values.Add(s, by);
                    if (hasParts)
                    {
                        MoveParts(symbols, s, symbols.Value(s));
                    }
                }
            });
        }
        foreach (SymbolId s in ctx.PData)
        {
            symbols.SetValue(s, symbols.Value(s) + (long)ctx.SectionOf(s)!.Vaddr);
        }
        foreach (SymbolId s in ctx.XData)
        {
            symbols.SetValue(s, symbols.Value(s) + (long)ctx.SectionOf(s)!.Vaddr);
        }
    }

    private static void MoveParts(SymbolTable symbols, SymbolId s, long by)
    {
        while (symbols.Sub.TryGetValue(s, out s) && !s.IsNone)
        {
            symbols.SetValue(s, symbols.Value(s) + by);
        }
    }

    /// <summary>Defines what the runtime and the symbol table know by name.</summary>
    private static void DefineMarkers(LinkContext ctx)
    {
        SymbolTable symbols = ctx.Symbols;
        Section roData = SectionOf(ctx, "runtime.rodata"u8);
        Section pclnTab = SectionOf(ctx, "runtime.pclntab"u8);
        Section types = SectionOf(ctx, "runtime.types"u8);
        Section data = Find(ctx, ".data");
        Section noPtrData = Find(ctx, ".noptrdata");
        Section bss = Find(ctx, ".bss");
        Section noPtrBss = Find(ctx, ".noptrbss");

        bool defines = !ctx.Format.LaysOutTextMarkers(ctx);
        for (int i = 1; defines && i < ctx.TextSegment.Sections.Count && ctx.TextSegment.Sections[i].IsText; i++)
        {
            Define(Encoding.UTF8.GetBytes($"runtime.text.{i}"), SymbolKind.Text, ctx.TextSegment.Sections[i].Vaddr);
        }

        Define("runtime.rodata"u8, SymbolKind.RoData, roData.Vaddr);
        Define("runtime.erodata"u8, SymbolKind.RoData, roData.End);
        Define("runtime.types"u8, SymbolKind.RoData, types.Vaddr);
        Define("runtime.etypes"u8, SymbolKind.RoData, types.End);
        DefineEnd("runtime.gcdata"u8, "runtime.egcdata"u8);
        DefineEnd("runtime.gcbss"u8, "runtime.egcbss"u8);
        if (ctx.Release.HasSymbolTableSection)
        {
            Section table = SectionOf(ctx, "runtime.symtab"u8);
            Define("runtime.symtab"u8, SymbolKind.RoData, table.Vaddr);
            Define("runtime.esymtab"u8, SymbolKind.RoData, table.End);
        }
        Define("runtime.pclntab"u8, SymbolKind.RoData, pclnTab.Vaddr);
        ctx.DefineMarker("runtime.pcheader"u8, SymbolKind.RoData);
        ctx.DefineMarker("runtime.funcnametab"u8, SymbolKind.RoData);
        ctx.DefineMarker("runtime.cutab"u8, SymbolKind.RoData);
        ctx.DefineMarker("runtime.filetab"u8, SymbolKind.RoData);
        ctx.DefineMarker("runtime.pctab"u8, SymbolKind.RoData);
        ctx.DefineMarker("runtime.functab"u8, SymbolKind.RoData);
        if (ctx.Release.PclnTabHoldsFuncData)
        {
            ctx.DefineMarker("go:func.*"u8, SymbolKind.RoData);
        }
        Define("runtime.epclntab"u8, SymbolKind.RoData, pclnTab.End);
        Define("runtime.noptrdata"u8, SymbolKind.NoPtrData, noPtrData.Vaddr);
        Define("runtime.enoptrdata"u8, SymbolKind.NoPtrDataEnd, noPtrData.End);
        Define("runtime.bss"u8, SymbolKind.Bss, bss.Vaddr);
        Define("runtime.ebss"u8, SymbolKind.Bss, bss.End);
        Define("runtime.data"u8, SymbolKind.Data, data.Vaddr);
        Define("runtime.edata"u8, SymbolKind.DataEnd, data.End);
        Define("runtime.noptrbss"u8, SymbolKind.NoPtrBss, noPtrBss.Vaddr);
        Define("runtime.enoptrbss"u8, SymbolKind.NoPtrBss, noPtrBss.End);
        if (ctx.Release.DataPlan.GroupsGcMasks)
        {
            SymbolId masks = symbols.Lookup("runtime.gcmask.*"u8, 0);
            Define("runtime.gcmask.*"u8, SymbolKind.GcMask, noPtrBss.Vaddr + (ulong)symbols.Value(masks));
        }
        (ulong start, ulong length) = ctx.CoverageCounters;
        Define("runtime.covctrs"u8, SymbolKind.CoverageCounter, noPtrBss.Vaddr + start);
        Define("runtime.ecovctrs"u8, SymbolKind.CoverageCounter, noPtrBss.Vaddr + start + length);
        Define("runtime.end"u8, SymbolKind.Bss, ctx.DataSegment.Vaddr + ctx.DataSegment.Length);
        DefineFuzzCounters(ctx);

        void Define(ReadOnlySpan<byte> name, SymbolKind kind, ulong address) => ctx.DefineMarker(name, kind, (long)address);

        void DefineEnd(ReadOnlySpan<byte> start, ReadOnlySpan<byte> end)
        {
            SymbolId s = symbols.LookupOrCreate(start, 0);
            symbols.Set(s, SymbolTable.Attributes.Local);
            SymbolId e = ctx.DefineMarker(end, SymbolKind.RoData, symbols.Value(s) + symbols.Size(s));
            symbols.SetSectionIndex(e, symbols.SectionIndex(s));
        }
    }

    private static void DefineFuzzCounters(LinkContext ctx)
    {
        Section? counters = ctx.DataSegment.Sections.Find(s => s.Name == ".go.fuzzcntrs");
        if (counters is null)
        {
            return;
        }
        if (ctx.Settings.Asan)
        {
            // The sanitizer wants the end of the section on 8 bytes.
            counters.Length = Round(counters.Length, 8);
        }
        ctx.DefineMarker("runtime.__start___sancov_cntrs"u8, SymbolKind.LibFuzzer8BitCounter, (long)counters.Vaddr);
        ctx.DefineMarker("runtime.__stop___sancov_cntrs"u8, SymbolKind.LibFuzzer8BitCounter, (long)counters.End);
        ctx.DefineMarker("internal/fuzz._counters"u8, SymbolKind.LibFuzzer8BitCounter, (long)counters.Vaddr);
        ctx.DefineMarker("internal/fuzz._ecounters"u8, SymbolKind.LibFuzzer8BitCounter, (long)counters.End);
    }

    private static Section SectionOf(LinkContext ctx, ReadOnlySpan<byte> marker) =>
        ctx.SectionOf(ctx.Symbols.LookupOrCreate(marker, 0))
            ?? throw new InvalidOperationException($"{Encoding.UTF8.GetString(marker)} has no section");

    private static Section Find(LinkContext ctx, string name) =>
        ctx.DataSegment.Sections.Find(s => s.Name == name) ?? throw new InvalidOperationException($"there is no {name}");
}
