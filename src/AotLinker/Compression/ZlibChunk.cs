using AotLinker.Hashing;

namespace AotLinker.Compression;

/// <summary>
/// Some blocks of a stream whose matches were looked for ahead of the writer, on the guess that a matcher warmed up on the blocks before
/// is in the right state: their data, their tokens, and copies of the matcher's table by which the guess is checked.
/// </summary>
/// <remarks>Holds some 2 MB, so it is used again: <see cref="Match"/>, <see cref="Write"/>, and so on.</remarks>
internal sealed unsafe class ZlibChunk : IDisposable
{
    private readonly NativeBuffer _data = new();
    private readonly NativeBuffer _saved = new();
    private readonly TokenBlock _tokens = new();
    private readonly BlockMatcher _matcher;

    /// <summary>The table before the block of the same place in <see cref="CheckBlocks"/>.</summary>
    private readonly BlockMatcher[] _checks;

    private long _start;
    private int _length;
    private int _warmUp;

    /// <exception cref="ArgumentException">The encoder does not work block by block.</exception>
    public ZlibChunk(DeflateFamily family, DeflateLevel level)
    {
        _matcher = BlockMatcher.Create(family, level);
        _checks = new BlockMatcher[CheckBlocks.Length];
        for (int i = 0; i < _checks.Length; i++)
            _checks[i] = BlockMatcher.Create(family, level);
    }

    /// <summary>Blocks of a chunk before which the guess can be checked; often it is right at once, or soon.</summary>
    private static ReadOnlySpan<byte> CheckBlocks => [0, 1, 2, 4, 6];

    /// <summary>Whether the tokens are there. Belongs to the scheduler.</summary>
    public bool IsMatched { get; set; }

    /// <summary>Adler-32 of the chunk's data.</summary>
    public uint Checksum { get; private set; }

    /// <summary>Blocks that <see cref="Write"/> had to match again, the guess being wrong or not yet checked.</summary>
    public int BlocksMatchedAgain { get; private set; }

    /// <summary>The chunk's data.</summary>
    public ReadOnlySpan<byte> Data => new(First, _length);

    private byte* First => _data.Data + BlockMatcher.LeadIn + _warmUp;

    private byte* Origin => First - (nint)Position(0);

    /// <summary>Reads <paramref name="length"/> bytes from <paramref name="start"/> on, a multiple of the block size, and finds their tokens.</summary>
    public void Match(IZlibSource source, long start, int length)
    {
        _start = start;
        _length = length;
        _warmUp = (int)long.Min(start, _matcher.WarmUpBlocks * (long)DeflateTables.MaxStored);
        int size = _warmUp + length;
        _data.Clear();
        byte* data = _data.Reserve((nuint)(BlockMatcher.LeadIn + size)) + BlockMatcher.LeadIn;
        _data.CommitTo(data + size);
        source.Read(start - _warmUp, new Span<byte>(data, size));
        Checksum = Adler32.Compute(Data);

        _matcher.Reset();
        _saved.Clear();
        int check = 0;
        for (int at = -_warmUp; at < length; at += DeflateTables.MaxStored)
        {
            if (at >= 0 && check < CheckBlocks.Length && at == CheckBlocks[check] * DeflateTables.MaxStored)
                _checks[check++].CopyFrom(_matcher);
            int blockLength = int.Min(DeflateTables.MaxStored, length - at);
            _tokens.Reset();
            if (blockLength >= BlockWriter.MinMatchedLength)
                _matcher.Find(Origin, Position(at), Position(at + blockLength), _tokens);
            if (at >= 0)
                _tokens.Save(_saved);
        }
    }

    /// <summary>
    /// Writes the chunk. <paramref name="matcher"/> is in the state of the stream before it, and is left in the one after.
    /// </summary>
    /// <param name="last">Whether the stream ends with the chunk.</param>
    public void Write(BlockWriter writer, BlockMatcher matcher, bool last)
    {
        BlocksMatchedAgain = 0;
        byte* saved = _saved.Data;
        bool exact = false;
        int check = 0;
        for (int at = 0; at < _length; at += DeflateTables.MaxStored)
        {
            if (check < CheckBlocks.Length && at == CheckBlocks[check] * DeflateTables.MaxStored)
            {
                exact = exact || matcher.IsEquivalentTo(_checks[check], (uint)Position(at));
                check++;
            }
            int length = int.Min(DeflateTables.MaxStored, _length - at);
            saved = _tokens.Load(saved);
            if (!exact && length >= BlockWriter.MinMatchedLength)
            {
                BlocksMatchedAgain++;
                _tokens.Reset();
                matcher.Find(Origin, Position(at), Position(at + length), _tokens);
            }
            writer.WriteBlock(_tokens, First + at, length, last && at + length == _length);
        }
        if (exact)
            matcher.CopyFrom(_matcher);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _data.Dispose();
        _saved.Dispose();
        _tokens.Dispose();
        _matcher.Dispose();
        foreach (BlockMatcher check in _checks)
            check.Dispose();
    }

    /// <summary>Position, for a matcher, of an offset in the chunk.</summary>
    private nuint Position(int offset) => (nuint)(BlockMatcher.FirstPosition + _start + offset);
}
