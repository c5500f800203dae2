using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using AotLinker.Mapping;

namespace AotLinker.Compression;

/// <summary>
/// Level 6 of Go 1.23 to 1.26 (<c>compressor.deflate</c>): hash chains over a sliding window of 64 KiB, and a match is
/// taken only if the next position has none that is longer.
/// </summary>
/// <remarks>
/// The window moves down when it is full and used up, and what has moved out of it cannot be matched. Go may move it
/// earlier, at the end of a write, so that there the cut into writes can show in the output. The linker compresses a
/// section in a single write (<c>machoCompressSection</c>); this behaves as if all data came in one, however it comes.
/// </remarks>
internal sealed unsafe class LazyEncoder123 : DeflateEncoder
{
    private const int WindowSize = DeflateTables.WindowSize;
    private const int WindowMask = WindowSize - 1;
    private const int HashBits = 17;
    private const int MinMatch = 4;
    private const int MinLookahead = MinMatch + DeflateTables.MaxMatch;

    /// <summary>A match this long is not tried to be bettered by the next position.</summary>
    private const int LazyLimit = 16;

    /// <summary>A match this long ends the search.</summary>
    private const int NiceLength = 128;

    /// <summary>Candidates looked at.</summary>
    private const int ChainLength = 128;

    /// <summary>Farther than this a match of four bytes does not pay.</summary>
    private const int ShortMatchReach = 4096;

    private const int MaxTokens = TokenBlock.MaxSequences;

    private readonly BlockWriter123 _writer = new();
    private readonly TokenBlock _tokens = new();
    private readonly NativeArray<byte> _windowMemory = new(2 * WindowSize + 16);
    private readonly NativeArray<uint> _headMemory = new(1 << HashBits);
    private readonly NativeArray<ulong> _linkMemory = new(WindowSize);
    private readonly byte* _window;

    /// <summary>Last position per hash, counted from the stream's start and from 1.</summary>
    private readonly uint* _heads;

    /// <summary>
    /// Per position (modulo the window) how far back the last four with the same hash are, nearest in the lowest
    /// 16 bits, 65,535 for too far. With four at hand a search is not slowed down by waiting for the next link.
    /// </summary>
    private readonly ulong* _links;

    /// <summary>Stream position, counted as in <see cref="_heads"/>, of the window's first byte.</summary>
    private uint _base;

    private int _index;
    private int _end;

    /// <summary>Window index where the tokens at hand begin, or -1 if that has moved out.</summary>
    private int _blockStart;

    private int _length;
    private int _distance;
    private bool _literalPending;
    private int _run;

    public LazyEncoder123()
    {
        _window = _windowMemory.Base;
        _heads = _headMemory.Base;
        _links = _linkMemory.Base;
        Reset();
    }

    /// <inheritdoc/>
    public override BlockWriter Writer => _writer;

    /// <inheritdoc/>
    public override void Reset()
    {
        _writer.Reset();
        _tokens.Reset();
        _headMemory.AsSpan().Clear();
        _base = 1;
        _index = 0;
        _end = 0;
        _blockStart = 0;
        _length = MinMatch - 1;
        _distance = 0;
        _literalPending = false;
        _run = 0;
    }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            if (_end == 2 * WindowSize)
            {
                Advance(flush: false);
                Slide();
            }
            int taken = int.Min(data.Length, 2 * WindowSize - _end);
            data[..taken].CopyTo(new Span<byte>(_window + _end, taken));
            _end += taken;
            data = data[taken..];
        }
    }

    /// <inheritdoc/>
    public override void Finish()
    {
        Advance(flush: true);
        _writer.WriteEnd();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _writer.Dispose();
        _tokens.Dispose();
        _windowMemory.Dispose();
        _headMemory.Dispose();
        _linkMemory.Dispose();
    }

    private void Slide()
    {
        Unsafe.CopyBlock(_window, _window + WindowSize, WindowSize);
        _index -= WindowSize;
        _end -= WindowSize;
        _blockStart = _blockStart >= WindowSize ? _blockStart - WindowSize : -1;
        _base += WindowSize;
        // Go rebases at 16 Mi; all that matters is that positions stay below 4 Gi.
        if (_base >= 0xF000_0000)
        {
            uint delta = _base - 1;
            foreach (ref uint head in _headMemory.AsSpan())
                head = head > delta ? head - delta : 0;
            _base = 1;
        }
    }

    /// <summary>Consumes what the window holds, up to the last 262 bytes unless it must be all.</summary>
    private void Advance(bool flush)
    {
        if (_end - _index < MinLookahead && !flush)
            return;

        byte* window = _window;
        int index = _index;
        int end = _end;
        int insertEnd = end - (MinMatch - 1);
        while (true)
        {
            int lookahead = end - index;
            if (lookahead < MinLookahead)
            {
                if (!flush)
                    break;
                if (lookahead == 0)
                {
                    if (_literalPending)
                        AddLiteral(window[index - 1]);
                    _literalPending = false;
                    if (_tokens.TokenCount > 0)
                        WriteBlock(index);
                    break;
                }
            }

            int candidate = index < insertEnd ? Insert(index) : -1;
            int previousLength = _length;
            int previousDistance = _distance;
            _length = MinMatch - 1;
            _distance = 0;
            if (candidate >= int.Max(index - WindowSize, 0) && lookahead > previousLength && previousLength < LazyLimit)
                FindMatch(index, int.Min(lookahead, DeflateTables.MaxMatch), previousLength);

            if (previousLength >= MinMatch && _length <= previousLength)
            {
                AddMatch(previousLength, previousDistance);
                int matchEnd = index + previousLength - 1;
                int stop = int.Min(matchEnd, insertEnd);
                for (index++; index < stop; index++)
                    Insert(index);
                index = matchEnd;
                _literalPending = false;
                _length = MinMatch - 1;
                if (_tokens.TokenCount == MaxTokens)
                    WriteBlock(index);
            }
            else
            {
                if (_literalPending)
                {
                    AddLiteral(window[index - 1]);
                    if (_tokens.TokenCount == MaxTokens)
                        WriteBlock(index);
                }
                index++;
                _literalPending = true;
            }
        }
        _index = index;
    }

    /// <summary>Files a position under its hash. Returns the window index filed there before, negative if it is out of the window.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Insert(int index)
    {
        uint value = BinaryPrimitives.ReverseEndianness(*(uint*)(_window + index));
        ref uint head = ref _heads[(value * 0x1e35a7bd) >> (32 - HashBits)];
        uint position = _base + (uint)index;
        uint before = head;
        head = position;
        ushort step = (ushort)uint.Min(position - before, ushort.MaxValue);
        // The links of the one before, a place up and a step farther. (Of one out of reach they do not matter.)
        Vector128<ushort> farther = Vector128.CreateScalar(_links[(before - 1) & WindowMask] << 16).AsUInt16();
        _links[index & WindowMask] = Vector128.AddSaturate(farther, Vector128.Create(step)).AsUInt64().ToScalar();
        return (int)(before - _base);
    }

    /// <summary>
    /// Looks for the longest match down the chain and sets length and distance if there is one
    /// longer than <paramref name="length"/>. (Go starts from three always, but then takes the previous match if this one is no longer.)
    /// </summary>
    private void FindMatch(int index, int limit, int length)
    {
        byte* window = _window;
        byte* here = window + index;
        ulong* links = _links;
        int nice = int.Min(NiceLength, limit);
        int oldest = index - WindowSize;
        int lowest = int.Max(oldest, 0);
        // To be longer, a match must agree on the last byte so far and the one after: compare four at once.
        uint tail = *(uint*)(here + length - 3);
        int from = index;
        for (int tries = ChainLength / 4; tries > 0; tries--)
        {
            ulong link = links[from & WindowMask];
            int candidate = from;
            for (int i = 0; i < 4; i++)
            {
                candidate = from - (ushort)link;
                link >>= 16;
                if (candidate < lowest)
                    return;
                if (*(uint*)(window + candidate + length - 3) == tail)
                {
                    int matched = MatchLength(here, window + candidate, limit);
                    if (matched > length && (matched > MinMatch || index - candidate <= ShortMatchReach))
                    {
                        length = matched;
                        _length = matched;
                        _distance = index - candidate;
                        if (matched >= nice)
                            return;
                        tail = *(uint*)(here + length - 3);
                    }
                }
            }
            if (candidate == oldest)
                return;
            from = candidate;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int MatchLength(byte* a, byte* b, int limit)
    {
        int n = 0;
        for (; limit - n >= 8; n += 8)
        {
            ulong difference = *(ulong*)(a + n) ^ *(ulong*)(b + n);
            if (difference != 0)
                return n + (BitOperations.TrailingZeroCount(difference) >> 3);
        }
        while (n < limit && a[n] == b[n])
            n++;
        return n;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void AddLiteral(byte value)
    {
        _tokens.Literals[_tokens.LiteralCount++] = value;
        _run++;
    }

    private void AddMatch(int length, int distance)
    {
        _tokens.Sequences[_tokens.SequenceCount++] =
            TokenBlock.Sequence(_tokens.Counts, (nuint)_run, (uint)(length - DeflateTables.MinMatch), (uint)(distance - 1));
        _run = 0;
    }

    /// <summary>Writes the tokens as a block that ends before window index <paramref name="index"/>.</summary>
    private void WriteBlock(int index)
    {
        _tokens.CountLiterals();
        byte* data = _blockStart >= 0 ? _window + _blockStart : null;
        _writer.WriteSmallest(_tokens, data, index - _blockStart);
        _blockStart = index;
        _tokens.Reset();
        _run = 0;
    }
}
