using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Layout;

/// <summary>Sections and the offsets in them (allocateDataSections).</summary>
/// <remarks>
/// Within a segment <see cref="_size"/> runs on from section to section, so that the sections' provisional addresses keep their distance
/// and alignment when address moves them.
/// </remarks>
internal sealed partial class DataLayout
{
    private int _placed;
    private SymbolId _gcData;
    private SymbolId _gcBss;

    /// <summary>Whether there are symbols of a kind.</summary>
    public bool Has(SymbolKind kind) => _data[(int)kind].Length != 0;

    /// <summary>Leaves a gap.</summary>
    public void Skip(int bytes) => _size += bytes;

    /// <summary>Name of a section of relocated read-only data: GNU's where we use those (genrelrosecname).</summary>
    public string RelocatedName(string suffix) =>
        _ctx.Target.UseRelro && _ctx.Format.NamesRelRoSections ? ".data.rel.ro" + suffix : suffix.Length == 0 ? ".rodata" : suffix;

    /// <summary>Begins the segment of relocated read-only data, where the link has one; else it goes on with read-only data.</summary>
    /// <returns>The segment and the permissions of its sections.</returns>
    public (Segment Segment, int Rwx) BeginRelocated(Segment readOnly)
    {
        if (!_ctx.Target.UseRelro)
        {
            return (readOnly, 4);
        }
        if (!_ctx.Format.HasRelRoSegment(_ctx))
        {
            return (readOnly, 6);
        }
        _size = 0;
        return (_ctx.RelRoDataSegment, 6);
    }

    /// <summary>Makes a section for symbols of some kinds, with the largest alignment among them (allocateNamedDataSection).</summary>
    public Section NewSection(Segment segment, string name, int rwx, ReadOnlySpan<byte> kinds)
    {
        Section section = _ctx.AddSection(segment, name, rwx);
        if (kinds.Length == 1)
        {
            section.Align = _maxAlign[kinds[0]];
        }
        foreach (byte kind in kinds)
        {
            section.Align = Math.Max(section.Align, _maxAlign[kind]);
        }
        Begin(section);
        return section;
    }

    /// <summary>Places all symbols of a kind behind what the section holds (assignToSection).</summary>
    public void Place(Section section, SymbolKind kind, SymbolKind placedAs = SymbolKind.None, bool checkSize = true)
    {
        NativeSpan<ulong> data = _data[(int)kind];
        if (section.SymbolCount == 0)
        {
            section.FirstSymbol = _placed;
        }
        Sequence<Symbols> symbols = new(_ctx.Workers, new Symbols(this, data, section), data.Length, _size);
        symbols.Place();
        _placed += data.Length;
        section.SymbolCount += data.Length;
        _size = symbols.End;
        section.Length = (ulong)_size - section.Vaddr;
        Changed(kind, placedAs);
        if (checkSize)
        {
            CheckSize(kind);
        }
    }

    /// <summary><see cref="Place"/>, noting how much the kind's carrier symbol stands for.</summary>
    public void PlaceCarried(Section section, SymbolKind kind)
    {
        NativeSpan<ulong> data = _data[(int)kind];
        long start = data.Length != 0 ? Round(_size, AlignOf(new SymbolId(Id(data[0])))) : _size;
        Place(section, kind, SymbolKind.RoData);
        _ctx.Carriers.SetLength(kind, _size - start);
        section.Length = (ulong)_size - section.Vaddr;
    }

    /// <summary>Makes and fills the section of one kind of relocated read-only data (createRelroSect).</summary>
    public void PlaceRelocatedSection(Segment segment, string suffix, SymbolKind kind, int rwx) =>
        PlaceCarried(NewSection(segment, RelocatedName(suffix), rwx, [(byte)kind]), kind);

    /// <summary>Gives each symbol of a kind a section of its own, named after it (allocateSingleSymSections).</summary>
    public void PlaceSingly(Segment segment, SymbolKind kind, SymbolKind placedAs, int rwx)
    {
        foreach (ulong pair in _data[(int)kind].AsSpan())
        {
            SymbolId s = new(Id(pair));
            string name = _symbols.NameText(s);
            PlaceAlone(segment, name.StartsWith("go:", StringComparison.Ordinal) ? ".go." + name[3..] : name, pair, rwx);
        }
        Changed(kind, placedAs);
        CheckSize(kind);
    }

    /// <summary>Makes the section of a table that the linker made in order, such as typelinks.</summary>
    public void PlaceLinks(Segment segment, string name, ReadOnlySpan<byte> symbol, SymbolKind kind, int rwx)
    {
        Section section = NewSection(segment, RelocatedName(name), rwx, [(byte)kind]);
        SymbolBuilder table = _symbols.Update(symbol, 0);
        _symbols.SetSectionIndex(table.Symbol, section.Index);
        table.SetKind(SymbolKind.RoData);
        section.FirstSymbol = _placed;
        foreach (ulong pair in _data[(int)kind].AsSpan())
        {
            _ctx.Data[_placed++] = Id(pair);
            section.SymbolCount++;
        }
        _size += table.Size;
        CheckSize(kind);
        section.Length = (ulong)_size - section.Vaddr;
    }

    /// <summary>Makes and fills the section of pclntab.</summary>
    public void PlacePclnTab(Segment segment, string name, int rwx)
    {
        Section section = PlaceNamed(segment, name, SymbolKind.PclnTab, SymbolKind.RoData, rwx);
        Mark("runtime.pclntab"u8, section);
        Mark("runtime.pcheader"u8, section);
        Mark("runtime.funcnametab"u8, section);
        Mark("runtime.cutab"u8, section);
        Mark("runtime.filetab"u8, section);
        Mark("runtime.pctab"u8, section);
        Mark("runtime.functab"u8, section);
        if (_ctx.Release.PclnTabHoldsFuncData)
        {
            Mark("go:func.*"u8, section);
        }
        Mark("runtime.epclntab"u8, section);
        _ctx.Carriers.SetLength(SymbolKind.PclnTab, (long)section.Length);
    }

    /// <summary>Says which section a marker symbol lies in.</summary>
    public void Mark(ReadOnlySpan<byte> name, Section section) => _symbols.SetSectionIndex(_symbols.LookupOrCreate(name, 0), section.Index);

    private void Begin(Section section)
    {
        _size = Round(_size, section.Align);
        section.Vaddr = (ulong)_size;
    }

    private Section PlaceAlone(Segment segment, string name, ulong pair, int rwx)
    {
        SymbolId s = new(Id(pair));
        Section section = _ctx.AddSection(segment, name, rwx);
        section.Align = AlignOf(s);
        Begin(section);
        _symbols.SetSectionIndex(s, section.Index);
        _symbols.SetValue(s, 0);
        _size += SizeOf(pair);
        section.Length = (ulong)_size - section.Vaddr;
        section.FirstSymbol = _placed;
        section.SymbolCount = 1;
        _ctx.Data[_placed++] = s.Index;
        return section;
    }

    /// <summary>Makes a section for the symbols of a kind, and places them in it (allocateNamedSectionAndAssignSyms).</summary>
    public Section PlaceNamed(Segment segment, string name, SymbolKind kind, SymbolKind placedAs, int rwx)
    {
        Section section = NewSection(segment, name, rwx, [(byte)kind]);
        Place(section, kind, placedAs, checkSize: false);
        return section;
    }

    /// <summary>Symbols made after symtab have no layout kind of their own, so that placing them changes their kind.</summary>
    private void Changed(SymbolKind kind, SymbolKind placedAs)
    {
        if (placedAs == SymbolKind.None)
        {
            return;
        }
        foreach (ulong pair in _data[(int)kind].AsSpan())
        {
            if (Id(pair) >= _groupKindCount)
            {
                _symbols.Update(new SymbolId(Id(pair))).SetKind(placedAs);
            }
        }
    }

    private void CheckSize(SymbolKind last)
    {
        if (_size > MaxSize)
        {
            _ctx.Diagnostics.Error($"too much data, last section {last.GoName()} ({_size}, over 2e+09 bytes)");
        }
    }

    private void PlaceSections()
    {
        int count = 0;
        foreach (NativeSpan<ulong> data in _data)
        {
            count += data.Length;
        }
        // Thread-local symbols are not in memory.
        _ctx.Data = new int[count - _data[(int)SymbolKind.TlsBss].Length];

        PlaceData();
        PlaceThreadLocal();
        PlaceReadOnly();
        if (_placed < _ctx.Data.Length)
        {
            _ctx.Data = _ctx.Data[.._placed];
        }
        PlaceUnwindData();
        _ctx.Dwarf?.AllocateSections(_ctx, ref _size);
    }

    /// <summary>Writable data: first what has a section of its own, then data and zeroed data, each without and with pointers.</summary>
    private void PlaceData()
    {
        const int Writable = 6;
        Segment segment = _ctx.DataSegment;
        foreach (SymbolKind kind in (ReadOnlySpan<SymbolKind>)[SymbolKind.BuildInfo, SymbolKind.FipsInfo, SymbolKind.ElfSect,
            SymbolKind.Macho, SymbolKind.Windows])
        {
            PlaceSingly(segment, kind, SymbolKind.Data, Writable);
        }
        NativeSpan<ulong> modules = _data[(int)SymbolKind.ModuleData];
        if (modules.Length > 1)
        {
            _ctx.Diagnostics.Error("internal error: more than one SMODULEDATA symbol");
        }
        if (modules.Length > 0)
        {
            PlaceAlone(segment, ".go.module", modules[0], Writable);
            Changed(SymbolKind.ModuleData, SymbolKind.Data);
            CheckSize(SymbolKind.ModuleData);
        }
        foreach (SymbolKind kind in (ReadOnlySpan<SymbolKind>)[SymbolKind.ElfGot, SymbolKind.MachoGot])
        {
            if (Has(kind))
            {
                PlaceNamed(segment, ".got", kind, SymbolKind.Data, Writable);
            }
        }

        Section section = PlaceNamed(segment, ".noptrdata", SymbolKind.NoPtrData, SymbolKind.Data, Writable);
        Mark("runtime.noptrdata"u8, section);
        Mark("runtime.enoptrdata"u8, section);
        Place(section, SymbolKind.NoPtrDataFipsStart, SymbolKind.Data);
        Place(section, SymbolKind.NoPtrDataFips, SymbolKind.Data);
        Place(section, SymbolKind.NoPtrDataFipsEnd, SymbolKind.Data);
        Place(section, SymbolKind.NoPtrDataEnd, SymbolKind.Data);

        bool hasInitArray = _ctx.Target.IsLinkShared
            || _ctx.Target.BuildMode is BuildMode.CArchive or BuildMode.CShared or BuildMode.Shared or BuildMode.Plugin;
        if (hasInitArray && Has(SymbolKind.InitArr))
        {
            PlaceNamed(segment, ".init_array", SymbolKind.InitArr, SymbolKind.None, Writable);
        }

        section = PlaceNamed(segment, ".data", SymbolKind.Data, SymbolKind.Data, Writable);
        Mark("runtime.data"u8, section);
        Mark("runtime.edata"u8, section);
        Place(section, SymbolKind.DataFipsStart, SymbolKind.Data);
        Place(section, SymbolKind.DataFips, SymbolKind.Data);
        Place(section, SymbolKind.DataFipsEnd, SymbolKind.Data);
        Place(section, SymbolKind.DataEnd, SymbolKind.Data);
        long dataEnd = _size - (long)section.Vaddr;
        // The TOC comes last and is not the garbage collector's business.
        Place(section, SymbolKind.XcoffToc, SymbolKind.Data);
        CheckSize(SymbolKind.Data);

        section = PlaceNamed(segment, ".bss", SymbolKind.Bss, SymbolKind.None, Writable);
        Mark("runtime.bss"u8, section);
        Mark("runtime.ebss"u8, section);
        MakeGcPrograms(dataEnd, _size - (long)section.Vaddr);

        section = PlaceNamed(segment, ".noptrbss", SymbolKind.NoPtrBss, SymbolKind.None, Writable);
        Mark("runtime.noptrbss"u8, section);
        Mark("runtime.enoptrbss"u8, section);
        if (_plan.GroupsGcMasks)
        {
            SymbolId masks = _symbols.LookupOrCreate("runtime.gcmask.*"u8, 0);
            _symbols.SetValue(masks, (long)section.Length);
            _symbols.SetSectionIndex(masks, section.Index);
            Place(section, SymbolKind.GcMask, SymbolKind.NoPtrBss);
            _ctx.Carriers.SetLength(SymbolKind.GcMask, (long)section.Length - _symbols.Value(masks));
        }
        PlaceCounters(section);

        Mark("runtime.end"u8, segment.Sections[^1]);
    }

    /// <summary>Coverage counters, which lie together for the coverage runtime, and fuzzer counters.</summary>
    private void PlaceCounters(Section noPtrBss)
    {
        ulong start = noPtrBss.Length;
        Place(noPtrBss, SymbolKind.CoverageCounter, SymbolKind.NoPtrBss);
        ulong length = noPtrBss.Length - start;
        Mark("runtime.covctrs"u8, noPtrBss);
        Mark("runtime.ecovctrs"u8, noPtrBss);
        if (_plan.AlignsCoverageCounters)
        {
            // The start may lie before the padding in front of the first counter.
            start += length % 4;
            length -= length % 4;
        }
        _ctx.CoverageCounters = (start, length);

        if (Has(SymbolKind.LibFuzzer8BitCounter))
        {
            Section section = PlaceNamed(_ctx.DataSegment, ".go.fuzzcntrs", SymbolKind.LibFuzzer8BitCounter, SymbolKind.None, 6);
            Mark("runtime.__start___sancov_cntrs"u8, section);
            Mark("runtime.__stop___sancov_cntrs"u8, section);
            Mark("internal/fuzz._counters"u8, section);
            Mark("internal/fuzz._ecounters"u8, section);
        }
    }

    /// <summary>Thread-local symbols have offsets of their own, from 0.</summary>
    private void PlaceThreadLocal()
    {
        if (!Has(SymbolKind.TlsBss))
        {
            return;
        }
        Section? section = null;
        if (_ctx.Format.HasThreadLocalSection(_ctx))
        {
            section = _ctx.AddSection(_ctx.DataSegment, ".tbss", 6);
            section.Align = _ctx.Target.PointerSize;
        }
        _size = 0;
        foreach (ulong pair in _data[(int)SymbolKind.TlsBss].AsSpan())
        {
            SymbolId s = new(Id(pair));
            _size = Round(_size, AlignOf(s));
            if (section is not null)
            {
                _symbols.SetSectionIndex(s, section.Index);
            }
            _symbols.SetValue(s, _size);
            _size += SizeOf(pair);
        }
        CheckSize(SymbolKind.TlsBss);
        if (section is not null)
        {
            section.Length = (ulong)_size;
        }
    }

    private void PlaceReadOnly()
    {
        const int ReadOnly = 4;
        Segment segment = _ctx.Format.HasReadOnlySegment(_ctx) ? _ctx.RoDataSegment : _ctx.TextSegment;
        _size = 0;
        PlaceSingly(_ctx.TextSegment, SymbolKind.ElfRxSect, SymbolKind.RoData, 5);
        PlaceSingly(_ctx.TextSegment, SymbolKind.MachoPlt, SymbolKind.RoData, 5);

        Section section = NewSection(segment, ".rodata", ReadOnly, _plan.ReadOnlyKinds);
        Mark("runtime.rodata"u8, section);
        Mark("runtime.erodata"u8, section);
        if (_plan.HasTypesInRoData(_ctx.Target))
        {
            Mark("runtime.types"u8, section);
            Mark("runtime.etypes"u8, section);
        }
        foreach (byte kind in _plan.ReadOnlyKinds)
        {
            PlaceCarried(section, (SymbolKind)kind);
        }

        if (!_ctx.Release.RelocatesPclnTab)
        {
            PlacePclnTab(segment, ".gopclntab", ReadOnly);
        }
        PlaceSingly(segment, SymbolKind.ElfRoSect, SymbolKind.RoData, ReadOnly);
        _plan.PlaceRelocated(this, segment);

        // References within read-only data have 32 bits.
        if (_size != (uint)_size)
        {
            _ctx.Diagnostics.Error($"read-only data segment too large: {_size}");
        }
    }

    /// <summary>Windows' unwind tables (allocateSEHSections).</summary>
    private void PlaceUnwindData()
    {
        PlaceList(_ctx.PDataSegment, ".pdata", _ctx.PData);
        PlaceList(_ctx.XDataSegment, ".xdata", _ctx.XData);

        void PlaceList(Segment segment, string name, List<SymbolId> symbols)
        {
            if (symbols.Count == 0)
            {
                return;
            }
            Section section = _ctx.AddSection(segment, name, 4);
            section.Align = 1;
            Begin(section);
            foreach (SymbolId s in symbols)
            {
                long size = _symbols.Size(s);
                _size = Round(_size, SettleAlign(s, size));
                _symbols.SetSectionIndex(s, section.Index);
                _symbols.SetValue(s, _size - (long)section.Vaddr);
                _size += size;
            }
            section.Length = (ulong)_size - section.Vaddr;
            CheckSize(SymbolKind.SehSect);
        }
    }

    private void MakeGcPrograms(long dataEnd, long bssEnd)
    {
        _gcData = _symbols.Update("runtime.gcdata"u8, 0).Symbol;
        _gcBss = _symbols.Update("runtime.gcbss"u8, 0).Symbol;
        GcProgramBuilder data = new(_ctx, _gcData);
        GcProgramBuilder bss = new(_ctx, _gcBss);
        _ctx.Workers.For(2, i =>
        {
            (GcProgramBuilder program, SymbolKind kind, long end) = i == 0 ? (data, SymbolKind.Data, dataEnd) : (bss, SymbolKind.Bss, bssEnd);
            foreach (ulong pair in _data[(int)kind].AsSpan())
            {
                program.AddSymbol(new SymbolId(Id(pair)));
            }
            program.End(end);
        });
        _ctx.Diagnostics.Flush();
        _symbols.Update(_gcData).AddBytes(data.Program);
        _symbols.Update(_gcBss).AddBytes(bss.Program);
    }

    /// <summary>Symbols of a kind that follow what a section holds; called before the counts of placed ones go on.</summary>
    private readonly struct Symbols(DataLayout layout, NativeSpan<ulong> data, Section section) : ISequenceItems
    {
        private readonly int _first = layout._placed;
        private readonly long _start = (long)section.Vaddr;
        private readonly int _section = section.Index;

        /// <inheritdoc/>
        public (int Align, long Size) Measure(int i)
        {
            SymbolId s = new(Id(data[i]));
            // The GC programs were made after sizes were taken.
            bool isMade = s == layout._gcData || s == layout._gcBss;
            return (layout.AlignOf(s), isMade ? layout._symbols.Size(s) : SizeOf(data[i]));
        }

        /// <inheritdoc/>
        public void SetPlace(int i, long place)
        {
            SymbolId s = new(Id(data[i]));
            layout._symbols.SetSectionIndex(s, _section);
            layout._symbols.SetValue(s, place - _start);
            layout._ctx.Data[_first + i] = s.Index;
        }
    }
}
