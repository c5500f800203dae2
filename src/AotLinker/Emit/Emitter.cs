using System.Runtime.InteropServices;
using AotLinker.Layout;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Synthesize.Dwarf;

namespace AotLinker.Emit;

/// <summary>
/// Writes the content of all segments into the output (asmb): copied from the objects, relocated where it then lies.
/// </summary>
/// <remarks>
/// The output is cut into blocks of at most about 256 KB at symbols' starts, each worked on by one thread in a slice of its own, which stays in the
/// CPU's cache if it is a buffer; a symbol larger than a block is cut up itself. Whether the slice is the mapped output or a buffer makes no
/// difference here. A slice starts as zeros, so that gaps in data need no work.
/// </remarks>
internal sealed class Emitter
{
    // Twice as much still goes into a buffer (OutputFile.MaxFresh).
    private const int MostBlock = OutputFile.MaxFresh / 2;

    private const int LeastBlock = 1 << 16;

    // Blocks that a thread gets on average, so that the last one is not long alone.
    private const int BlocksPerThread = 16;

    private readonly LinkContext _ctx;
    private readonly SymbolTable _symbols;
    private readonly Relocator _relocator;
    private readonly List<Block> _blocks = [];
    private readonly int _blockSize;

    private Emitter(LinkContext ctx)
    {
        _ctx = ctx;
        _symbols = ctx.Symbols;
        _relocator = new Relocator(ctx);
        _blockSize = (int)Math.Clamp(ctx.Output.Length / (BlocksPerThread * ctx.Workers.Threads), LeastBlock, MostBlock);
    }

    private enum BlockKind : byte
    {
        /// <summary>Functions, from an index of <see cref="LinkContext.Text"/> on.</summary>
        Text,

        /// <summary>Data, from an index of <see cref="LinkContext.Data"/> on.</summary>
        Data,

        /// <summary>Data, from an index of a list of symbols on.</summary>
        List,

        /// <summary>A piece of one large symbol; the count says whether it is a function.</summary>
        Piece,

        /// <summary>A piece of a section of debug information.</summary>
        Dwarf,
    }

    /// <summary>Writes all segments.</summary>
    public static void Run(LinkContext ctx)
    {
        Emitter emitter = new(ctx);
        emitter.CutText();
        emitter.CutData();
        emitter.CutDwarf();
        ctx.Workers.For(emitter._blocks.Count, emitter.Write);
        ctx.Diagnostics.ExitIfErrors();
    }

    private void CutText()
    {
        List<SymbolId> text = _ctx.Text;
        int next = 0;
        foreach (Section section in _ctx.TextSegment.Sections)
        {
            if (!section.IsText)
            {
                continue;
            }
            int first = next;
            next = EndOfSection(text, first, section.Index);
            Cut(BlockKind.Text, section, first, next - first, i => text[i]);
        }
    }

    // A section's functions lie together.
    private int EndOfSection(List<SymbolId> text, int from, int section)
    {
        int end = text.Count;
        while (from < end)
        {
            int middle = from + ((end - from) / 2);
            if (_symbols.SectionIndex(text[middle]) == section)
            {
                from = middle + 1;
            }
            else
            {
                end = middle;
            }
        }
        return end;
    }

    private void CutData()
    {
        int[] data = _ctx.Data;
        foreach (Segment segment in _ctx.SegmentOrder)
        {
            foreach (Section section in segment.Sections)
            {
                if (section.SymbolCount != 0 && section.Vaddr - segment.Vaddr < segment.FileLength)
                {
                    Cut(BlockKind.Data, section, section.FirstSymbol, section.SymbolCount, i => new SymbolId(data[i]));
                }
            }
        }
        CutList(_ctx.PDataSegment, _ctx.PData);
        CutList(_ctx.XDataSegment, _ctx.XData);
    }

    private void CutList(Segment segment, List<SymbolId> symbols)
    {
        if (symbols.Count != 0)
        {
            int first = _blocks.Count;
            Cut(BlockKind.List, segment.Sections[0], 0, symbols.Count, i => symbols[i]);
            foreach (ref Block block in CollectionsMarshal.AsSpan(_blocks)[first..])
            {
                block.List = symbols;
            }
        }
    }

    private void CutDwarf()
    {
        if (_ctx.Dwarf is not { } dwarf)
        {
            return;
        }
        foreach (DwarfSection section in dwarf.Sections)
        {
            long start = _ctx.DwarfSegment.OffsetOf(section.Output.Vaddr);
            for (int piece = 0; piece < section.PieceCount; piece++)
            {
                long from = section.PieceStart(piece);
                long length = section.PieceStart(piece + 1) - from;
                if (length != 0)
                {
                    _blocks.Add(new Block { Kind = BlockKind.Dwarf, FileOffset = start + from, Length = length, IsMade = true, Dwarf = section, First = piece });
                }
            }
        }
    }

    /// <summary>Cuts a section into blocks at the starts of symbols.</summary>
    private void Cut(BlockKind kind, Section section, int first, int count, Func<int, SymbolId> symbol)
    {
        Segment segment = section.Segment!;
        long address = (long)section.Vaddr;
        long end = (long)section.End;
        // Text that starts at an address of the user's (-T) may begin below its section's rounded address; cmd/link leaves such
        // functions out of the file.
        while (count > 0 && _symbols.Value(symbol(first)) < address)
        {
            first++;
            count--;
        }
        int blockFirst = first;
        long blockStart = address;
        int stopAt = first + count;
        for (int i = first; (i = FindFrom(i, stopAt, blockStart + _blockSize, symbol)) < stopAt; i++)
        {
            // What was to be one more symbol of the block may be a large one.
            long at = _symbols.Value(symbol(i));
            Add(blockFirst, i, blockStart, at);
            blockFirst = i;
            blockStart = at;
        }
        Add(blockFirst, stopAt, blockStart, end);

        void Add(int from, int to, long start, long stop)
        {
            if (stop == start)
            {
                return;
            }
            if (stop - start > 2 * _blockSize)
            {
                // The last symbol of the range made it this long.
                int last = to - 1;
                while (last > from && _symbols.IsInterior(symbol(last)))
                {
                    last--;
                }
                SymbolId large = symbol(last);
                long at = _symbols.Value(large);
                if (at > start)
                {
                    AddBlock(from, last, start, at);
                }
                CutSymbol(kind, segment, large, at, stop);
                return;
            }
            AddBlock(from, to, start, stop);
        }

        void AddBlock(int from, int to, long start, long stop) => _blocks.Add(new Block
        {
            Kind = kind,
            First = from,
            Count = to - from,
            Address = start,
            Length = stop - start,
            FileOffset = segment.OffsetOf((ulong)start),
        });
    }

    /// <summary>
    /// The first symbol from <paramref name="i"/> on, before <paramref name="end"/>, with at least some address: looked for in steps that
    /// double, and then halve. Symbols within others may have any, so where there are such each is looked at.
    /// </summary>
    private int FindFrom(int i, int end, long address, Func<int, SymbolId> symbol)
    {
        if (_symbols.Sub.Count != 0)
        {
            while (i < end && (_symbols.IsInterior(symbol(i)) || _symbols.Value(symbol(i)) < address))
            {
                i++;
            }
            return i;
        }
        int step = 1;
        while (i + step <= end && _symbols.Value(symbol(i + step - 1)) < address)
        {
            i += step;
            step *= 2;
        }
        // What is looked for is among the next so many, or behind them.
        for (int most = Math.Min(step, end - i); most > 0;)
        {
            int half = most / 2;
            if (_symbols.Value(symbol(i + half)) < address)
            {
                i += half + 1;
                most -= half + 1;
            }
            else
            {
                most = half;
            }
        }
        return i;
    }

    /// <summary>Cuts a symbol, and the gap behind it, into pieces that can be made one by one.</summary>
    private void CutSymbol(BlockKind kind, Segment segment, SymbolId s, long start, long stop)
    {
        long size = _symbols.Size(s);
        long offset = segment.OffsetOf((ulong)start);
        // What is not relocated, such as a file that a program embeds, is not changed where it lies.
        bool isMade = kind != BlockKind.Text && _symbols.Relocs(s).Count == 0;
        int step = isMade ? Math.Min(OutputFile.MaxMade, _blockSize) : _blockSize;
        SortedDictionary<long, long> moved = [];
        if (_symbols.Has(s, SymbolTable.Attributes.Generated))
        {
            int granule = _ctx.Generators[s].Granule;
            step = granule == 0 ? int.MaxValue : Math.Max(step / granule, 1) * granule;
        }
        else
        {
            // No cut goes through a relocated field.
            foreach (ref readonly RelocRecord r in _symbols.Relocs(s).Records)
            {
                long cut = (r.Offset + (long)r.Size - 1) / _blockSize * _blockSize;
                if (r.Size != 0 && cut > r.Offset)
                {
                    moved[cut] = Math.Min(r.Offset, moved.GetValueOrDefault(cut, long.MaxValue));
                }
            }
        }
        long from = 0;
        for (long cut = step; from < size; cut += step)
        {
            long to = cut < size ? moved.GetValueOrDefault(cut, cut) : size;
            _blocks.Add(new Block
            {
                Kind = BlockKind.Piece,
                Symbol = s,
                IsMade = isMade,
                Count = kind == BlockKind.Text ? 1 : 0,
                PieceOffset = from,
                Address = start + from,
                Length = to - from,
                FileOffset = offset + from,
            });
            from = to;
        }
        if (kind == BlockKind.Text && stop > start + size)
        {
            _blocks.Add(new Block { Kind = kind, Address = start + size, Length = stop - start - size, FileOffset = offset + size });
        }
    }

    private unsafe void Write(int index)
    {
        Block block = _blocks[index];
        // Errors are told in the order of addresses; debug information has none here and is always written.
        if (block.Address > _ctx.Diagnostics.LastOrder)
        {
            return;
        }
        if (block.IsMade && block.Length <= OutputFile.MaxMade)
        {
            using OutputLease lease = _ctx.Output.LeaseMade(block.FileOffset, (int)block.Length);
            Fill(block, lease.Span);
            return;
        }
        if (block.Length <= OutputFile.MaxLease)
        {
            using (OutputLease lease = _ctx.Output.Lease(block.FileOffset, (int)block.Length))
            {
                Fill(block, lease.Span);
            }
            _ctx.Output.Forget(block.FileOffset, block.Length);
            return;
        }
        // Content that can only be made as a whole.
        if (_ctx.Output.IsMapped)
        {
            Fill(block, new Span<byte>(_ctx.Output.Base + block.FileOffset, checked((int)block.Length)));
            return;
        }
        using NativeArray<byte> buffer = new(block.Length);
        Fill(block, buffer.AsSpan());
        _ctx.Output.Write(block.FileOffset, buffer.AsSpan());
    }

    private void Fill(in Block block, Span<byte> span)
    {
        switch (block.Kind)
        {
            case BlockKind.Text:
                FillSymbols(span, block.Address, CollectionsMarshal.AsSpan(_ctx.Text).Slice(block.First, block.Count), _ctx.Target.Cpu.CodePad);
                break;
            case BlockKind.Data:
                FillSymbols(span, block.Address, MemoryMarshal.Cast<int, SymbolId>(_ctx.Data.AsSpan(block.First, block.Count)), default);
                break;
            case BlockKind.List:
                FillSymbols(span, block.Address, CollectionsMarshal.AsSpan(block.List).Slice(block.First, block.Count), default);
                break;
            case BlockKind.Piece:
                FillPiece(span, block.Symbol, block.PieceOffset, block.Count != 0 ? _ctx.Target.Cpu.CodePad : default);
                break;
            default:
                block.Dwarf!.Fill(_ctx, block.First, span);
                break;
        }
    }

    private void FillSymbols(Span<byte> span, long start, ReadOnlySpan<SymbolId> symbols, ReadOnlySpan<byte> pad)
    {
        // Data lies in all objects in no order: where a symbol is, its record and its content are asked for one after the other, well before
        // they are needed.
        const int Places = 32;
        const int RecordAhead = 16;
        const int ContentAhead = 8;
        const int PlaceAhead = 2 * RecordAhead;
        Span<int> objects = stackalloc int[Places];
        Span<int> locals = stackalloc int[Places];
        int at = 0;
        for (int i = -PlaceAhead; i < symbols.Length; i++)
        {
            int ahead = i + PlaceAhead;
            if (ahead < symbols.Length)
            {
                _symbols.ExpectLocate(symbols[ahead]);
                _symbols.Values.Expect(symbols[ahead]);
            }
            ahead = i + RecordAhead;
            if ((uint)ahead < (uint)symbols.Length)
            {
                ref int local = ref locals[ahead % Places];
                int o = _symbols.LocateIndex(symbols[ahead], out local);
                objects[ahead % Places] = o;
                if (o >= SymbolTable.FirstObject)
                {
                    _symbols.Objects[o].ExpectRecord(local);
                    _symbols.Objects[o].ExpectIndexes(local);
                }
            }
            ahead = i + ContentAhead;
            if ((uint)ahead < (uint)symbols.Length && objects[ahead % Places] is >= SymbolTable.FirstObject and var near)
            {
                _symbols.Objects[near].ExpectData(locals[ahead % Places]);
                _symbols.Objects[near].ExpectRelocs(locals[ahead % Places]);
            }
            if (i < 0)
            {
                continue;
            }
            SymbolId s = symbols[i];
            if (_symbols.IsInterior(s))
            {
                continue;
            }
            int offset = (int)(_symbols.Value(s) - start);
            if (offset < at || offset > span.Length)
            {
                throw new InvalidOperationException($"{_symbols.NameText(s)} at 0x{_symbols.Value(s):x} is out of order from 0x{start:x} on");
            }
            Pad(span[at..offset], pad);
            int owner = objects[i % Places];
            at = offset + (owner == SymbolTable.ExternalObject
                ? FillExternal(span[offset..], s, pad)
                : FillSymbol(span[offset..], s, _symbols.Objects[owner], locals[i % Places], pad));
        }
        Pad(span[at..], pad);
    }

    /// <summary>Writes one symbol at the start of a span; returns its size.</summary>
    private int FillSymbol(Span<byte> span, SymbolId s, GoObject o, int local, ReadOnlySpan<byte> pad)
    {
        int size = (int)o.Symbol(local).Size;
        ReadOnlySpan<byte> data = o.Data(local);
        if (CheckBounds(s, data.Length, size))
        {
            data.CopyTo(span);
            _relocator.Apply(s, new RelocList(_symbols, o, o.Relocs(local), _symbols.Release.RelocKinds), span[..data.Length]);
            Pad(span[data.Length..size], pad);
        }
        return size;
    }

    private int FillExternal(Span<byte> span, SymbolId s, ReadOnlySpan<byte> pad)
    {
        int size = (int)_symbols.Size(s);
        if (_symbols.Has(s, SymbolTable.Attributes.Generated))
        {
            Span<byte> content = span[..size];
            _ctx.Generators[s].Fill(_ctx, s, 0, content);
            _relocator.Apply(s, content);
            return size;
        }
        ReadOnlySpan<byte> data = _symbols.Data(s);
        if (CheckBounds(s, data.Length, size))
        {
            data.CopyTo(span);
            _relocator.Apply(s, span[..data.Length]);
            Pad(span[data.Length..size], pad);
        }
        return size;
    }

    private void FillPiece(Span<byte> span, SymbolId s, long offset, ReadOnlySpan<byte> pad)
    {
        if (_symbols.Has(s, SymbolTable.Attributes.Generated))
        {
            _ctx.Generators[s].Fill(_ctx, s, offset, span);
            _relocator.ApplyPiece(s, span, offset, _symbols.Size(s));
            return;
        }
        ReadOnlySpan<byte> data = _symbols.Data(s);
        if (!CheckBounds(s, data.Length, _symbols.Size(s)))
        {
            return;
        }
        Span<byte> content = span[..(int)Math.Clamp(data.Length - offset, 0, span.Length)];
        if (content.Length != 0)
        {
            data.Slice((int)offset, content.Length).CopyTo(content);
            _relocator.ApplyPiece(s, content, offset, data.Length);
        }
        Pad(span[content.Length..], pad);
    }

    private bool CheckBounds(SymbolId s, long length, long size)
    {
        if (length <= size)
        {
            return true;
        }
        _ctx.Diagnostics.Report(_symbols.Value(s), $"{_symbols.NameText(s)}: initialize bounds ({size} < {length})");
        return false;
    }

    private static void Pad(Span<byte> span, ReadOnlySpan<byte> pad)
    {
        if (pad.Length == 1)
        {
            span.Fill(pad[0]);
            return;
        }
        while (pad.Length != 0 && span.Length != 0)
        {
            int n = Math.Min(pad.Length, span.Length);
            pad[..n].CopyTo(span);
            span = span[n..];
        }
    }

    private struct Block
    {
        public BlockKind Kind;
        public int First;
        public int Count;
        public long Address;
        public long Length;
        public long FileOffset;
        public SymbolId Symbol;
        public long PieceOffset;
        public List<SymbolId>? List;
        public DwarfSection? Dwarf;

        /// <summary>Nothing of it is relocated.</summary>
        public bool IsMade;
    }
}
