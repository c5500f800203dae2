using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AotLinker.Compression;

/// <summary>
/// Encoders that cut the stream into blocks of 65,535 bytes, wherever writes begin and end, and compress each
/// once it is full and more follows. What is common: the buffer with the 32 KiB before the block.
/// </summary>
internal abstract unsafe class BlockEncoder : DeflateEncoder
{
    private const int BlockSize = DeflateTables.MaxStored;

    /// <summary>Blocks between two moves of the history to the front of the buffer.</summary>
    private const int BufferedBlocks = 4;

    private const nuint BufferSize = DeflateTables.WindowSize + BufferedBlocks * BlockSize;

    /// <summary>Positions are rebased here, long before they overflow.</summary>
    private const uint RebaseAt = 0xF000_0000;

    private byte* _buffer;

    /// <summary>Position of the buffer's first byte.</summary>
    private uint _base;

    /// <summary>Buffer offset where the block begins.</summary>
    private int _start;

    /// <summary>Bytes of the block so far.</summary>
    private int _filled;

    protected BlockEncoder(BlockMatcher matcher)
    {
        Matcher = matcher;
        // Literals are copied in strides and may look a little past the end.
        _buffer = (byte*)NativeMemory.AlignedAlloc(BufferSize + 64, 64);
        Clear();
    }

    ~BlockEncoder() => NativeMemory.AlignedFree(_buffer);

    /// <summary>Finds the matches.</summary>
    protected BlockMatcher Matcher { get; }

    /// <summary>Scratch for one block's tokens.</summary>
    protected TokenBlock Tokens { get; } = new();

    /// <inheritdoc/>
    public override void Reset()
    {
        Matcher.Reset();
        Writer.Reset();
        Clear();
    }

    /// <inheritdoc/>
    public override void Write(ReadOnlySpan<byte> data)
    {
        while (!data.IsEmpty)
        {
            if (_filled == BlockSize)
                EndBlock();
            int taken = int.Min(data.Length, BlockSize - _filled);
            data[..taken].CopyTo(new Span<byte>(_buffer + _start + _filled, taken));
            _filled += taken;
            data = data[taken..];
        }
    }

    /// <inheritdoc/>
    public override void Finish()
    {
        if (_filled > 0)
            Encode(_buffer - (nint)_base, _base + (nuint)_start, _filled, last: true);
        Writer.WriteEnd();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        Matcher.Dispose();
        Tokens.Dispose();
        Writer.Dispose();
        NativeMemory.AlignedFree(_buffer);
        _buffer = null;
        GC.SuppressFinalize(this);
    }

    /// <summary>Compresses one block of 1 to 65,535 bytes; fewer than 65,535 only in the last.</summary>
    protected abstract void Encode(byte* origin, nuint position, int length, bool last);

    private void Clear()
    {
        _base = BlockMatcher.FirstPosition;
        _start = 0;
        _filled = 0;
    }

    private void EndBlock()
    {
        Encode(_buffer - (nint)_base, _base + (nuint)_start, BlockSize, last: false);
        _start += BlockSize;
        _filled = 0;
        if (_start + BlockSize <= (int)BufferSize)
            return;
        int moved = _start - DeflateTables.WindowSize;
        Unsafe.CopyBlock(_buffer, _buffer + moved, DeflateTables.WindowSize);
        _start = DeflateTables.WindowSize;
        _base += (uint)moved;
        if (_base >= RebaseAt)
        {
            Matcher.Rebase(_base - BlockMatcher.FirstPosition);
            _base = BlockMatcher.FirstPosition;
        }
    }
}

/// <summary>Levels 1 and 6 of Go 1.27 (<c>compressor.deflateFast</c>).</summary>
internal sealed unsafe class BlockEncoder127(BlockMatcher matcher, bool fuseMultiplyAdd) : BlockEncoder(matcher)
{
    private readonly BlockWriter127 _writer = new(fuseMultiplyAdd);

    /// <inheritdoc/>
    public override BlockWriter Writer => _writer;

    /// <inheritdoc/>
    protected override void Encode(byte* origin, nuint position, int length, bool last)
    {
        if (length >= BlockWriter127.MinMatchedLength)
        {
            Tokens.Reset();
            Matcher.Find(origin, position, position + (nuint)length, Tokens);
        }
        _writer.WriteBlock(Tokens, origin + position, length, last);
    }
}

/// <summary>Level 1 of Go 1.23 to 1.26 (<c>compressor.encSpeed</c>).</summary>
internal sealed unsafe class BlockEncoder123() : BlockEncoder(new FastMatcher123())
{
    private readonly BlockWriter123 _writer = new();

    /// <inheritdoc/>
    public override BlockWriter Writer => _writer;

    /// <inheritdoc/>
    protected override void Encode(byte* origin, nuint position, int length, bool last)
    {
        if (length >= BlockWriter123.MinMatchedLength)
        {
            Tokens.Reset();
            Matcher.Find(origin, position, position + (nuint)length, Tokens);
        }
        _writer.WriteBlock(Tokens, origin + position, length);
    }
}
