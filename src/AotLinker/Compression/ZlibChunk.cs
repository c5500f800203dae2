using AotLinker.Hashing;

namespace AotLinker.Compression;

/// <summary>
/// Some blocks of a stream whose matches were looked for ahead of the writer, on the guess that a matcher warmed up on the blocks before
/// is in the right state: their data, their tokens, and copies of the matcher's table by which the guess is checked.
/// </summary>
internal sealed unsafe class ZlibChunk : IDisposable
{
    private readonly IZlibSource _source;
    private readonly NativeBuffer _data = new();
    private readonly NativeBuffer _tokens = new();

    /// <summary>The table before the block of the same place in <see cref="CheckBlocks"/>.</summary>
    private readonly List<BlockMatcher> _checks = [];

    private readonly BlockMatcher _matcher;
    private readonly DeflateFamily _family;
    private readonly DeflateLevel _level;
    private readonly long _start;
    private readonly int _length;
    private int _warmUp;

    /// <param name="start">Offset of the chunk's first byte in the source, a multiple of the block size.</param>
    public ZlibChunk(IZlibSource source, DeflateFamily family, DeflateLevel level, long start, int length)
    {
        _source = source;
        _family = family;
        _level = level;
        _start = start;
        _length = length;
        _matcher = NewMatcher();
    }

    /// <summary>Blocks of a chunk before which the guess can be checked; often it is right at once, or soon.</summary>
    private static ReadOnlySpan<byte> CheckBlocks => [0, 1, 2, 4, 8, 14];

    /// <summary>Whether <see cref="Match"/> is done. Belongs to the scheduler.</summary>
    public bool IsMatched { get; set; }

    /// <summary>Adler-32 of the chunk's data.</summary>
    public uint Checksum { get; private set; }

    /// <summary>Blocks that <see cref="Write"/> had to match again, the guess being wrong or not yet checked.</summary>
    public int BlocksMatchedAgain { get; private set; }

    /// <summary>The chunk's data.</summary>
    public ReadOnlySpan<byte> Data => new(First, _length);

    /// <summary>Reads the data and finds the tokens.</summary>
    public void Match()
    {
        _warmUp = (int)long.Min(_start, _matcher.WarmUpBlocks * (long)DeflateTables.MaxStored);
        int size = _warmUp + _length;
        byte* data = _data.Reserve((nuint)(BlockMatcher.LeadIn + size)) + BlockMatcher.LeadIn;
        _data.CommitTo(data + size);
        _source.Read(_start - _warmUp, new Span<byte>(data, size));
        Checksum = Adler32.Compute(Data);

        using var tokens = new TokenBlock();
        byte* origin = Origin;
        for (int at = -_warmUp, block = 0; at < _length; at += DeflateTables.MaxStored)
        {
            if (at >= 0)
            {
                if (_checks.Count < CheckBlocks.Length && block == CheckBlocks[_checks.Count])
                {
                    BlockMatcher check = NewMatcher();
                    check.CopyFrom(_matcher);
                    _checks.Add(check);
                }
                block++;
            }
            int length = int.Min(DeflateTables.MaxStored, _length - at);
            tokens.Reset();
            if (length >= BlockWriter.MinMatchedLength)
                _matcher.Find(origin, Position(at), Position(at + length), tokens);
            if (at >= 0)
                tokens.Save(_tokens);
        }
    }

    /// <summary>
    /// Writes the chunk. <paramref name="matcher"/> is in the state of the stream before it, and is left in the one after; <paramref name="tokens"/> is scratch.
    /// </summary>
    /// <param name="last">Whether the stream ends with the chunk.</param>
    public void Write(BlockWriter writer, BlockMatcher matcher, TokenBlock tokens, bool last)
    {
        byte* origin = Origin;
        byte* stored = _tokens.Data;
        bool exact = false;
        int check = 0;
        for (int at = 0, block = 0; at < _length; at += DeflateTables.MaxStored, block++)
        {
            if (!exact && check < _checks.Count && block == CheckBlocks[check])
                exact = matcher.IsEquivalentTo(_checks[check++], (uint)Position(at));
            int length = int.Min(DeflateTables.MaxStored, _length - at);
            stored = tokens.Load(stored);
            if (!exact && length >= BlockWriter.MinMatchedLength)
            {
                tokens.Reset();
                matcher.Find(origin, Position(at), Position(at + length), tokens);
                BlocksMatchedAgain++;
            }
            writer.WriteBlock(tokens, origin + Position(at), length, last && at + length == _length);
        }
        if (exact)
            matcher.CopyFrom(_matcher);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _data.Dispose();
        _tokens.Dispose();
        _matcher.Dispose();
        foreach (BlockMatcher check in _checks)
            check.Dispose();
    }

    private byte* First => _data.Data + BlockMatcher.LeadIn + _warmUp;

    private byte* Origin => First - (nint)Position(0);

    /// <summary>Position, for a matcher, of an offset in the chunk.</summary>
    private nuint Position(int offset) => (nuint)(BlockMatcher.FirstPosition + _start + offset);

    private BlockMatcher NewMatcher() =>
        BlockMatcher.TryCreate(_family, _level) ?? throw new ArgumentException($"{_family} at level {_level} does not work block by block");
}
