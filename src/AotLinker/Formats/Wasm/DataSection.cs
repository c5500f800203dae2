using System.Buffers;
using AotLinker.Emit;
using AotLinker.Explain;
using AotLinker.Layout;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Formats.Wasm;

/// <summary>
/// The initial content of memory. Where zeros lie they are left out, so that the length is only known when all content is, with its
/// relocations applied; and the output can't be the place to apply them, as it is no image of memory.
/// </summary>
/// <remarks>
/// <para>So content is relocated where it is: read-only input by way of the guard, which makes a private copy of a symbol the first time
/// and counts it. What has no relocations is read from the input, and what the linker generates is made piece by piece, once to look for
/// zeros and once to be written.</para>
/// <para>Memory is cut into blocks of about a megabyte. Each is looked through by one thread; runs of zeros that cross blocks are then
/// joined in order, and each block is written by one thread.</para>
/// </remarks>
internal sealed class DataSection : IDisposable
{
    private const int BlockSize = 1 << 20;

    /// <summary>About what a further segment costs; shorter runs of zeros are written out.</summary>
    private const int MinZeros = 8;

    /// <summary>Some hosts refuse modules with more segments.</summary>
    private const int MaxSegments = 100_000;

    private readonly LinkContext _ctx;
    private readonly SymbolTable _symbols;
    private readonly Relocator _relocator;
    private readonly Section[] _sections;
    private readonly MemoryArena _arena = new();
    private readonly ContentGuard _guard;
    private readonly NativeArray<GuardedContent> _content;
    private readonly List<Block> _blocks = [];
    private readonly List<Run>[] _runs;
    private readonly List<Segment> _segments = [];
    private readonly int[] _firstSegments;

    /// <summary>Relocates the content of some sections and finds out what of it is to be written.</summary>
    /// <param name="ctx">The link; all addresses are known.</param>
    /// <param name="sections">The sections, in the order they are written.</param>
    /// <param name="account">Counts the private copies.</param>
    public DataSection(LinkContext ctx, Section[] sections, MemoryAccount? account = null)
    {
        _ctx = ctx;
        _symbols = ctx.Symbols;
        _relocator = new Relocator(ctx);
        _sections = sections;
        _guard = new ContentGuard(_arena, account);
        _content = new NativeArray<GuardedContent>(ctx.Data.Length);
        _firstSegments = new int[sections.Length + 1];
        foreach (Section section in sections.Distinct())
        {
            ctx.Workers.ForChunks(section.SymbolCount, 1 << 10, (from, to, _) =>
            {
                for (int i = section.FirstSymbol + from; i < section.FirstSymbol + to; i++)
                {
                    Relocate(i);
                }
            });
        }
        for (int i = 0; i < sections.Length; i++)
        {
            Cut(i);
        }
        _runs = new List<Run>[_blocks.Count];
        ctx.Workers.For(_blocks.Count, b => WithContent(_blocks[b], content => _runs[b] = FindZeros(content, _blocks[b].Start)));
        ctx.Diagnostics.Flush();
        ChooseSegments();
        Length = PlaceSegments();
    }

    /// <summary>Bytes of the section's content.</summary>
    public long Length { get; }

    /// <summary>Number of segments.</summary>
    public int SegmentCount => _segments.Count;

    /// <summary>Writes the section's content at an offset of the output.</summary>
    public void Write(long at)
    {
        Span<byte> count = stackalloc byte[Leb128.MaxLength];
        _ctx.Output.Write(at, count[..Leb128.Write(count, (ulong)_segments.Count)]);
        _ctx.Workers.For(_blocks.Count, b => WriteBlock(_blocks[b], at));
    }

    /// <summary>Says which parts of memory are where, when the section's content stands at an offset of the output.</summary>
    public void DescribeFile(FileMap map, long at)
    {
        map.Table("heads of data", SizeKind.Headers, at, Leb128.SizeOf((ulong)_segments.Count));
        foreach (Segment segment in _segments)
        {
            map.Table("heads of data", SizeKind.Headers, at + segment.Offset - HeadSize(segment), HeadSize(segment));
            map.Memory(segment.Start, segment.Length, at + segment.Offset);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _content.Dispose();
        _arena.Dispose();
    }

    /// <summary>Finds the runs of zeros in a block: those of at least eight, and any at its ends.</summary>
    public static List<Run> FindZeros(ReadOnlySpan<byte> content, long start)
    {
        List<Run> runs = [];
        if (content.IsEmpty)
        {
            return runs;
        }
        int leading = content.IndexOfAnyExcept((byte)0);
        if (leading != 0)
        {
            runs.Add(new Run(start, leading < 0 ? content.Length : leading));
        }
        if (leading < 0)
        {
            return runs;
        }
        int end = content.LastIndexOfAnyExcept((byte)0) + 1;
        // A run of eight covers every eighth byte once.
        for (int at = leading + MinZeros; at < end; at += MinZeros)
        {
            if (content[at] != 0)
            {
                continue;
            }
            int from = at;
            while (content[from - 1] == 0)
            {
                from--;
            }
            int to = at + content[at..].IndexOfAnyExcept((byte)0);
            if (to - from >= MinZeros)
            {
                runs.Add(new Run(start + from, to - from));
                at = to;
            }
        }
        if (end < content.Length)
        {
            runs.Add(new Run(start + end, content.Length - end));
        }
        return runs;
    }

    /// <summary>Applies a symbol's relocations, to a private copy if its content is an input's.</summary>
    private void Relocate(int index)
    {
        SymbolId s = new(_ctx.Data[index]);
        if (_symbols.IsInterior(s) || _symbols.Has(s, SymbolTable.Attributes.Generated))
        {
            return;
        }
        ReadOnlySpan<byte> data = _symbols.Data(s);
        if (data.Length > _symbols.Size(s))
        {
            _ctx.Diagnostics.Report(_symbols.Value(s), $"{_symbols.NameText(s)}: initialize bounds ({_symbols.Size(s)} < {data.Length})");
            return;
        }
        if (_symbols.IsExternal(s) && _symbols.Content(s) is { OwnsData: true } own)
        {
            _relocator.Apply(s, own.Data);
            return;
        }
        ref GuardedContent content = ref _content[index];
        content = GuardedContent.OfInput(data);
        foreach (ref readonly RelocRecord r in _symbols.Relocs(s).Records)
        {
            if (!r.IsMarker)
            {
                _relocator.Apply(s, GuardedContent.Writable(ref content, _guard, s.Index));
                break;
            }
        }
    }

    /// <summary>The relocated content of a symbol that is not generated.</summary>
    private ReadOnlySpan<byte> Content(int index, SymbolId s) =>
        _symbols.IsExternal(s) && _symbols.Content(s) is { OwnsData: true } own ? own.Data : _content[index].Bytes;

    private void Cut(int sectionIndex)
    {
        Section section = _sections[sectionIndex];
        long start = (long)section.Vaddr;
        int first = section.FirstSymbol;
        int last = section.FirstSymbol + section.SymbolCount;
        for (int i = first; i < last; i++)
        {
            SymbolId s = new(_ctx.Data[i]);
            if (_symbols.IsInterior(s))
            {
                continue;
            }
            long at = _symbols.Value(s);
            if (_symbols.Has(s, SymbolTable.Attributes.Generated) && _symbols.Size(s) is var size and > 0)
            {
                // Made whole or in pieces of whole records; a block holds no other part of it.
                CutTo(at, i);
                int granule = _ctx.Generators[s].Granule;
                long step = granule == 0 ? size : Math.Max(BlockSize / granule, 1) * (long)granule;
                for (long from = 0; from < size; from += step)
                {
                    Add(i, i + 1, at + Math.Min(from + step, size), isPiece: true);
                }
                first = i + 1;
                continue;
            }
            CutTo(at + Content(i, s).Length, i);
        }
        CutTo((long)section.End, last);
        Add(first, last, (long)section.End);

        // Full blocks up to an address that is part of, or in front of, symbol i.
        void CutTo(long address, int i)
        {
            while (address - start > BlockSize)
            {
                Add(first, Math.Min(i + 1, last), start + BlockSize);
                first = i;
            }
            if (i < last && _symbols.Has(new SymbolId(_ctx.Data[i]), SymbolTable.Attributes.Generated))
            {
                Add(first, i, address);
            }
        }

        void Add(int from, int to, long end, bool isPiece = false)
        {
            if (end > start)
            {
                _blocks.Add(new Block(sectionIndex, from, to, start, end, isPiece));
                start = end;
            }
        }
    }

    /// <summary>Lets a function see the bytes of a block.</summary>
    private void WithContent(in Block block, ReadOnlySpanAction action)
    {
        int length = checked((int)(block.End - block.Start));
        if (length <= 2 * BlockSize)
        {
            byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
            Fill(block, buffer.AsSpan(0, length));
            action(buffer.AsSpan(0, length));
            ArrayPool<byte>.Shared.Return(buffer);
            return;
        }
        // A generated symbol that can only be made as a whole.
        using NativeArray<byte> large = new(length);
        Fill(block, large.AsSpan());
        action(large.AsSpan());
    }

    private void Fill(in Block block, Span<byte> to)
    {
        if (block.IsPiece)
        {
            SymbolId generated = new(_ctx.Data[block.First]);
            long offset = block.Start - _symbols.Value(generated);
            to.Clear();
            _ctx.Generators[generated].Fill(_ctx, generated, offset, to);
            _relocator.ApplyPiece(generated, to, offset, _symbols.Size(generated));
            return;
        }
        int done = 0;
        for (int i = block.First; i < block.Last; i++)
        {
            SymbolId s = new(_ctx.Data[i]);
            if (_symbols.IsInterior(s))
            {
                continue;
            }
            long at = _symbols.Value(s) - block.Start;
            ReadOnlySpan<byte> content = Content(i, s);
            if (at < 0)
            {
                content = content[(int)Math.Min(-at, content.Length)..];
                at = 0;
            }
            if (content.IsEmpty || at >= to.Length)
            {
                continue;
            }
            content = content[..(int)Math.Min(content.Length, to.Length - at)];
            to[done..(int)at].Clear();
            content.CopyTo(to[(int)at..]);
            done = (int)at + content.Length;
        }
        to[done..].Clear();
    }

    /// <summary>Joins what the blocks found into segments: what lies between zeros, except single segments' worth of few.</summary>
    private void ChooseSegments()
    {
        int block = 0;
        for (int i = 0; i < _sections.Length; i++)
        {
            _firstSegments[i] = _segments.Count;
            long begin = (long)_sections[i].Vaddr;
            long end = (long)_sections[i].End;
            // Nothing is written in front of this address any more.
            long done = begin;
            Run pending = new(begin, 0);
            for (; block < _blocks.Count && _blocks[block].Section == i; block++)
            {
                foreach (Run run in _runs[block])
                {
                    if (run.Start == pending.End)
                    {
                        pending = pending with { Length = pending.Length + run.Length };
                        continue;
                    }
                    Split(pending);
                    pending = run;
                }
            }
            Split(pending);
            if (done < end)
            {
                _segments.Add(new Segment(done, end - done, 0));
            }

            void Split(Run zeros)
            {
                if (zeros.Start == begin)
                {
                    done = zeros.End;
                }
                else if ((zeros.Length >= MinZeros || zeros.End == end) && done < end)
                {
                    // The last segments that may be, one for each section, go to the sections' ends.
                    bool isLast = _segments.Count + _sections.Length - i == MaxSegments;
                    _segments.Add(new Segment(done, (isLast ? end : zeros.Start) - done, 0));
                    done = isLast ? end : zeros.End;
                }
            }
        }
        _firstSegments[_sections.Length] = _segments.Count;
    }

    private long PlaceSegments()
    {
        long at = Leb128.SizeOf((ulong)_segments.Count);
        for (int i = 0; i < _segments.Count; i++)
        {
            Segment segment = _segments[i];
            at += HeadSize(segment);
            _segments[i] = segment with { Offset = at };
            at += segment.Length;
        }
        return at;
    }

    // Memory 0; the address as an expression; the length.
    private static int HeadSize(in Segment segment) => 1 + 1 + Leb128.SizeOfSigned((int)segment.Start) + 1 + Leb128.SizeOf((ulong)segment.Length);

    private static void WriteHead(Span<byte> to, in Segment segment)
    {
        to[0] = 0;
        to[1] = Opcode.I32Const;
        int n = 2 + Leb128.WriteSigned(to[2..], (int)segment.Start);
        to[n++] = Opcode.End;
        Leb128.Write(to[n..], (ulong)segment.Length);
    }

    private void WriteBlock(in Block block, long at)
    {
        int first = FirstSegment(block);
        int last = first;
        while (last < _firstSegments[block.Section + 1] && _segments[last].Start < block.End)
        {
            last++;
        }
        if (first == last)
        {
            return;
        }
        Block b = block;
        WithContent(b, content =>
        {
            long from = at + OffsetIn(_segments[first], b.Start);
            long to = at + _segments[last - 1].Offset + Math.Min(_segments[last - 1].Length, b.End - _segments[last - 1].Start);
            if (to - from <= OutputFile.MaxLease)
            {
                using OutputLease lease = _ctx.Output.Lease(from, (int)(to - from));
                Pack(b, content, first, last, lease.Span, from - at);
                return;
            }
            using NativeArray<byte> buffer = new(to - from);
            Pack(b, content, first, last, buffer.AsSpan(), from - at);
            _ctx.Output.Write(from, buffer.AsSpan());
        });
    }

    private void Pack(in Block block, ReadOnlySpan<byte> content, int first, int last, Span<byte> to, long offset)
    {
        for (int i = first; i < last; i++)
        {
            Segment segment = _segments[i];
            if (segment.Start >= block.Start)
            {
                WriteHead(to[(int)(segment.Offset - HeadSize(segment) - offset)..], segment);
            }
            long begin = Math.Max(segment.Start, block.Start);
            long end = Math.Min(segment.Start + segment.Length, block.End);
            content[(int)(begin - block.Start)..(int)(end - block.Start)].CopyTo(to[(int)(segment.Offset + begin - segment.Start - offset)..]);
        }
    }

    // Where a block's part of the file begins: at the head of a segment that begins in it, else within the segment.
    private static long OffsetIn(in Segment segment, long address) =>
        segment.Start >= address ? segment.Offset - HeadSize(segment) : segment.Offset + address - segment.Start;

    /// <summary>The first segment that ends behind a block's start.</summary>
    private int FirstSegment(in Block block)
    {
        int low = _firstSegments[block.Section];
        int high = _firstSegments[block.Section + 1];
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_segments[middle].Start + _segments[middle].Length > block.Start)
            {
                high = middle;
            }
            else
            {
                low = middle + 1;
            }
        }
        return low;
    }

    private delegate void ReadOnlySpanAction(ReadOnlySpan<byte> content);

    /// <summary>Zeros.</summary>
    /// <param name="Start">Address of the first.</param>
    /// <param name="Length">How many.</param>
    internal readonly record struct Run(long Start, long Length)
    {
        /// <summary>Address behind the last.</summary>
        public long End => Start + Length;
    }

    /// <summary>A part of memory that one thread looks at: symbols First to Last of <see cref="LinkContext.Data"/>, as far as they lie in it.</summary>
    private readonly record struct Block(int Section, int First, int Last, long Start, long End, bool IsPiece);

    /// <summary>What is written: its address, its length, and its content's offset in the section.</summary>
    private readonly record struct Segment(long Start, long Length, long Offset);
}
