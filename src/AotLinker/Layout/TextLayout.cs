using System.Runtime.InteropServices;
using System.Text;
using AotLinker.Cpu;
using AotLinker.Hashing;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Ordering;

namespace AotLinker.Layout;

/// <summary>
/// Gives every function its address (textaddress), with trampolines where calls don't reach.
/// </summary>
/// <remarks>
/// Trampolines are decided on in one go through the functions in address order: a call to a function that has an address is judged by
/// it, one within the package by a provisional address that counts the most trampolines possible, and any other is taken to be too far.
/// The program is first laid out without any; only text past the CPU's reach gets the second look.
/// <para>Partial files: this one (order, addresses, sections), trampolines.</para>
/// </remarks>
internal sealed partial class TextLayout
{
    /// <summary>The least space of a function, which the table that finds functions by address relies on (abi.MINFUNC).</summary>
    public const int MinFunctionSize = 16;

    private const int FirstMarkerSize = 8;

    private readonly LinkContext _ctx;
    private readonly SymbolTable _symbols;
    private readonly int _align;

    // What a function that asks for an alignment has at least.
    private readonly int _leastAlign;
    private Section _section;
    private int _sectionCount = 1;
    private ulong _address;

    private TextLayout(LinkContext ctx)
    {
        _ctx = ctx;
        _symbols = ctx.Symbols;
        _align = ctx.Settings.FunctionAlign;
        _leastAlign = ctx.Release.FunctionsMayBeAlignedLess ? 1 : _align;
        _section = ctx.AddSection(ctx.TextSegment, ".text", 5);
        _section.Align = _align;
    }

    /// <summary>The link.</summary>
    public LinkContext Context => _ctx;

    /// <summary>Lays out <see cref="LinkContext.Text"/>, which ends up in address order.</summary>
    public static void Run(LinkContext ctx)
    {
        TextLayout layout = new(ctx);
        if (ctx.Settings.RandomLayoutSeed != 0)
        {
            layout.Shuffle();
        }
        layout.OrderByKind();
        layout.Assign();
        ctx.Format.TextPlaced(ctx);
    }

    private static ulong Round(ulong value, int align) => (value + (ulong)align - 1) / (ulong)align * (ulong)align;

    /// <summary>Puts the functions in random order (-randlayout), the build ID and C functions excepted.</summary>
    private void Shuffle()
    {
        Span<SymbolId> text = CollectionsMarshal.AsSpan(_ctx.Text);
        int first = 0;
        if (text.Length > 0 && _symbols.Name(text[0]).SequenceEqual("go:buildid"u8))
        {
            first++;
        }
        // Functions of one C section must stay together; C functions come before Go's.
        while (first < text.Length && (_symbols.Sub.ContainsKey(text[first]) || _symbols.IsInterior(text[first])))
        {
            first++;
        }
        new GoRandom(_ctx.Settings.RandomLayoutSeed).Shuffle(text[first..]);
    }

    /// <summary>Brings functions of one kind together, in the order of kinds, so that the FIPS module lies between its markers.</summary>
    private void OrderByKind()
    {
        const int Chunk = 1 << 13;
        const int Kinds = 256;
        List<SymbolId> text = _ctx.Text;
        ChunkedCounts counts = new(text.Count, Chunk, Kinds);
        bool[] isSorted = new bool[(text.Count + Chunk - 1) / Chunk];
        _ctx.Workers.ForChunks(text.Count, Chunk, (from, to, _) =>
        {
            Span<int> own = counts.Of(from);
            SymbolKind previous = from == 0 ? SymbolKind.None : _symbols.Kind(text[from - 1]);
            bool sorted = true;
            for (int i = from; i < to; i++)
            {
                SymbolKind kind = _symbols.Kind(text[i]);
                own[(int)kind]++;
                sorted &= previous <= kind;
                previous = kind;
            }
            isSorted[from / Chunk] = sorted;
        });
        if (!isSorted.Contains(false))
        {
            return;
        }
        counts.ToPlaces();
        using NativeArray<SymbolId> ordered = new(text.Count);
        _ctx.Workers.ForChunks(text.Count, Chunk, (from, to, _) =>
        {
            Span<int> next = counts.Of(from);
            for (int i = from; i < to; i++)
            {
                ordered[next[(int)_symbols.Kind(text[i])]++] = text[i];
            }
        });
        ordered.AsSpan().CopyTo(CollectionsMarshal.AsSpan(text));
    }

    private void Assign()
    {
        SymbolId text = _ctx.DefineMarker("runtime.text"u8, SymbolKind.Text, 0);
        SymbolId end = _ctx.DefineMarker("runtime.etext"u8, SymbolKind.TextEnd, 0);
        _symbols.SetSectionIndex(text, _section.Index);
        if (_ctx.Format.LaysOutMarkers(_ctx))
        {
            _symbols.SetSectionIndex(end, _section.Index);
            _ctx.Text.Insert(0, text);
            _ctx.Text.Add(end);
        }
        if (_ctx.Format.LaysOutTextMarkers(_ctx))
        {
            _symbols.Update(text).SetAlign(_section.Align).SetSize(FirstMarkerSize);
        }

        ulong start = Round((ulong)_ctx.Settings.TextAddress, _align);
        _section.Vaddr = start;
        _address = start;
        ulong limit = _ctx.Target.Cpu.TrampolineLimit is var reach && reach != 0 ? reach : ulong.MaxValue;
        if (_ctx.Settings.DebugTextSize != 0)
        {
            limit = (ulong)_ctx.Settings.DebugTextSize;
        }
        if (_ctx.Settings.DebugTrampolines > 1 || _ctx.Format.ChecksAllCalls(_ctx))
        {
            limit = 1;
        }

        if (!TryPlaceTogether(limit) && !TryPlaceEach(limit))
        {
            AssignWithTrampolines(text, start);
        }

        // One instruction more, so that the end marker has an address that is nobody else's.
        _section.Length = _address - _section.Vaddr + (ulong)_ctx.Target.Cpu.MinLc;
        _symbols.SetSectionIndex(end, _section.Index);
        if (_symbols.Value(end) == 0)
        {
            _symbols.SetValue(end, (long)_address);
            _symbols.SetValue(text, (long)_ctx.TextSegment.Sections[0].Vaddr);
        }
    }

    /// <summary>Gives all functions their places with several threads, if they stay below a limit and each is on its own.</summary>
    private bool TryPlaceTogether(ulong limit)
    {
        if (_symbols.Sub.Count != 0 || _ctx.Target.Cpu.PcUnitShift != 0)
        {
            return false;
        }
        Sequence<Functions> functions = new(_ctx.Workers, new Functions(_symbols, _ctx.Text, _align, _leastAlign, _section.Index), _ctx.Text.Count, (long)_address);
        if ((ulong)functions.End - _address >= limit)
        {
            return false;
        }
        functions.Place();
        _section.Align = Math.Max(_section.Align, functions.Align);
        _address = (ulong)functions.End;
        return true;
    }

    /// <summary>Gives one function after the other its place, until they reach a limit, which is false.</summary>
    private bool TryPlaceEach(ulong limit)
    {
        ulong start = _address;
        foreach (SymbolId s in _ctx.Text)
        {
            Place(s, isTrampoline: false, maySplit: false);
            if (_address - start >= limit)
            {
                return false;
            }
        }
        return true;
    }

    private void Place(SymbolId s, bool isTrampoline, bool maySplit)
    {
        _symbols.SetSectionIndex(s, _section.Index);
        if (_symbols.IsInterior(s))
        {
            return;
        }
        CpuArch cpu = _ctx.Target.Cpu;
        if (cpu.PcUnitShift != 0)
        {
            // Functions lie in a space of their own and are numbered; each counts as if it had the least size.
            _symbols.SetValue(s, ((long)_address / MinFunctionSize + cpu.FirstFunctionNumber) << cpu.PcUnitShift);
            _address += MinFunctionSize;
            return;
        }
        int align = AlignOf(_symbols.Align(s), _align, _leastAlign);
        _address = Round(_address, align);
        _section.Align = Math.Max(_section.Align, align);
        ulong size = (ulong)Math.Max(_symbols.Size(s), MinFunctionSize);
        if (maySplit && _ctx.Target.Cpu.SplitsText(_ctx.Target) && _symbols.Outer(s).IsNone)
        {
            SplitBefore(s, size, isTrampoline);
        }
        if (_symbols.Sub.Count == 0)
        {
            _symbols.SetValue(s, (long)_address);
        }
        else
        {
            _symbols.SetValue(s, 0);
            Move(s, (long)_address);
        }
        _address += size;
    }

    /// <summary>Begins a new section if the current one would grow past its limit.</summary>
    private void SplitBefore(SymbolId s, ulong size, bool isTrampoline)
    {
        ulong limit = _ctx.Settings.DebugTextSize != 0 ? (ulong)_ctx.Settings.DebugTextSize : _ctx.Target.Cpu.TrampolineLimit;
        if (size > limit)
        {
            throw new LinkException($"error: text size limit {limit} less than text symbol {_symbols.NameText(s)} size of {size}");
        }
        if (_address - _section.Vaddr + size + TrampolineSpace(s, isTrampoline) <= limit)
        {
            return;
        }
        int align = _ctx.Target.Cpu.SplitTextAlign;
        _address = Round(_address, align);
        _section.Length = _address - _section.Vaddr;
        _section = _ctx.AddSection(_ctx.TextSegment, ".text", 5);
        _section.Vaddr = _address;
        _section.Align = align;
        _symbols.SetSectionIndex(s, _section.Index);
        SymbolBuilder marker = _symbols.Update(Encoding.UTF8.GetBytes($"runtime.text.{_sectionCount++}"), 0);
        _symbols.SetSectionIndex(marker.Symbol, _section.Index);
        if (_ctx.Format.LaysOutTextMarkers(_ctx))
        {
            marker.SetKind(SymbolKind.Text).SetSize(MinFunctionSize).SetAlign(align).Set(SymbolTable.Attributes.OnList);
            _symbols.SetValue(marker.Symbol, (long)_address);
            _trampolines.Add(marker.Symbol);
            _placedMarkers.Add(marker.Symbol);
            int next = _symbols.Align(s);
            _address = Round(_address + MinFunctionSize, next != 0 ? next : _align);
        }
    }

    private void Reset(SymbolId s)
    {
        if (_symbols.Outer(s).IsNone)
        {
            Move(s, -_symbols.Value(s));
        }
    }

    private void Move(SymbolId s, long by)
    {
        _symbols.SetValue(s, _symbols.Value(s) + by);
        while (_symbols.Sub.Count != 0 && _symbols.Sub.TryGetValue(s, out s) && !s.IsNone)
        {
            _symbols.SetValue(s, _symbols.Value(s) + by);
        }
    }

    private static int AlignOf(int asked, int usual, int least) => asked == 0 ? usual : Math.Max(asked, least);

    private readonly struct Functions(SymbolTable symbols, List<SymbolId> text, int align, int leastAlign, int section) : ISequenceItems
    {
        /// <inheritdoc/>
        public (int Align, long Size) Measure(int i) =>
            (AlignOf(symbols.Align(text[i]), align, leastAlign), Math.Max(symbols.Size(text[i]), MinFunctionSize));

        /// <inheritdoc/>
        public void SetPlace(int i, long place)
        {
            symbols.SetSectionIndex(text[i], section);
            symbols.SetValue(text[i], place);
        }
    }
}
