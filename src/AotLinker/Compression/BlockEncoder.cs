using System.Runtime.CompilerServices;
using AotLinker.Mapping;

namespace AotLinker.Compression;

/// <summary>
/// Cuts the stream into blocks of 65,535 bytes, wherever writes begin and end, and compresses each once it is full and more
/// follows: levels 1 and 6 of Go 1.27 (<c>compressor.deflateFast</c>) and level 1 of Go 1.23 to 1.26 (<c>compressor.encSpeed</c>).
/// </summary>
internal sealed unsafe class BlockEncoder : DeflateEncoder
{
    private const int BlockSize = DeflateTables.MaxStored;

    /// <summary>Blocks between two moves of the history to the front of the buffer.</summary>
    private const int BufferedBlocks = 4;

    private const nuint BufferSize = DeflateTables.WindowSize + BufferedBlocks * BlockSize;

    /// <summary>Positions are rebased here, long before they overflow.</summary>
    private const uint RebaseAt = 0xF000_0000;

    private readonly BlockMatcher _matcher;
    private readonly TokenBlock _tokens = new();
    private readonly NativeArray<byte> _memory = new(BlockMatcher.LeadIn + (long)BufferSize);
    private readonly byte* _buffer;

    /// <summary>Position of the buffer's first byte.</summary>
    private uint _base;

    /// <summary>Buffer offset where the block begins.</summary>
    private int _start;

    /// <summary>Bytes of the block so far.</summary>
    private int _filled;

    public BlockEncoder(BlockMatcher matcher, BlockWriter writer)
    {
        _matcher = matcher;
        Writer = writer;
        _buffer = _memory.Base + BlockMatcher.LeadIn;
        Clear();
    }

    /// <inheritdoc/>
    public override BlockWriter Writer { get; }

    /// <inheritdoc/>
    public override void Reset()
    {
        _matcher.Reset();
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
            Encode(_filled, last: true);
        Writer.WriteEnd();
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _matcher.Dispose();
        _tokens.Dispose();
        Writer.Dispose();
        _memory.Dispose();
    }

    private void Clear()
    {
        _base = BlockMatcher.FirstPosition;
        _start = 0;
        _filled = 0;
    }

    private void Encode(int length, bool last)
    {
        if (length >= BlockWriter.MinMatchedLength)
        {
            _tokens.Reset();
            nuint position = _base + (nuint)_start;
            _matcher.Find(_buffer - (nint)_base, position, position + (nuint)length, _tokens);
        }
        Writer.WriteBlock(_tokens, _buffer + _start, length, last);
    }

    private void EndBlock()
    {
        Encode(BlockSize, last: false);
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
            _matcher.Rebase(_base - BlockMatcher.FirstPosition);
            _base = BlockMatcher.FirstPosition;
        }
    }
}
