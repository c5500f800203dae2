using System.Runtime.InteropServices;
using System.Text;
using AotLinker.Cpu;
using AotLinker.Hashing;
using AotLinker.Mapping;
using AotLinker.Objects;

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

    private readonly LinkContext _ctx;
    private readonly SymbolTable _symbols;
    private readonly int _align;
    private Section _section;
    private int _sectionCount = 1;
    private ulong _address;

    private TextLayout(LinkContext ctx)
    {
        _ctx = ctx;
        _symbols = ctx.Symbols;
        _align = ctx.Settings.FunctionAlign;
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
        List<SymbolId> text = _ctx.Text;
        Span<int> next = stackalloc int[256];
        next.Clear();
        bool sorted = true;
        SymbolKind previous = SymbolKind.None;
        foreach (SymbolId s in text)
        {
            SymbolKind kind = _symbols.Kind(s);
            next[(int)kind]++;
            sorted &= previous <= kind;
            previous = kind;
        }
        if (sorted)
        {
            return;
        }
        int sum = 0;
        for (int kind = 0; kind < next.Length; kind++)
        {
            int count = next[kind];
            next[kind] = sum;
            sum += count;
        }
        using NativeArray<SymbolId> ordered = new(text.Count);
        foreach (SymbolId s in text)
        {
            ordered[next[(int)_symbols.Kind(s)]++] = s;
        }
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

        ulong start = Round((ulong)_ctx.Settings.TextAddress, _align);
        _section.Vaddr = start;
        _address = start;
        ulong limit = _ctx.Target.Cpu.TrampolineLimit is var reach && reach != 0 ? reach : ulong.MaxValue;
        if (_ctx.Settings.DebugTextSize != 0)
        {
            limit = (ulong)_ctx.Settings.DebugTextSize;
        }
        if (_ctx.Settings.DebugTrampolines > 1)
        {
            limit = 1;
        }

        bool big = false;
        foreach (SymbolId s in _ctx.Text)
        {
            Place(s, isTrampoline: false, maySplit: false);
            if (_address - start >= limit)
            {
                big = true;
                break;
            }
        }
        if (big)
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
        int align = Math.Max(_symbols.Align(s), _align);
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
        SymbolId marker = _symbols.Update(Encoding.UTF8.GetBytes($"runtime.text.{_sectionCount++}"), 0).Symbol;
        _symbols.SetSectionIndex(marker, _section.Index);
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
}
