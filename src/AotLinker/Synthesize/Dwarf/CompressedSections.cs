using AotLinker.Compression;
using AotLinker.Layout;
using AotLinker.Mapping;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>
/// Puts compressed sections one behind the other into the file while they are made. Where a section begins is known when those before it
/// have ended; until then its bytes wait.
/// </summary>
/// <remarks>
/// A section that compression makes no smaller is written as it is, over what part of the compressed bytes stands there by then. That
/// never reaches beyond the section's own length.
/// </remarks>
internal sealed class CompressedSections : IZlibSink, IDisposable
{
    private readonly LinkContext _ctx;
    private readonly IReadOnlyList<DwarfSection> _sections;
    private readonly Action<long, ReadOnlySpan<byte>> _write;
    private readonly Lock _gate = new();

    // By section: its header in the file, how many bytes of its stream there are, and those of them that wait; whether the stream has ended.
    private readonly byte[][] _headers;
    private readonly long[] _made;
    private readonly Waiting[] _waiting;
    private readonly bool[] _ended;

    // The section that is written now, its address, and how many bytes of its stream are written.
    private int _current;
    private ulong _address;
    private long _written;

    /// <summary>For the sections of a link, from its DWARF segment's address and file offset on.</summary>
    public CompressedSections(LinkContext ctx, IReadOnlyList<DwarfSection> sections, Action<long, ReadOnlySpan<byte>> write)
    {
        _ctx = ctx;
        _sections = sections;
        _write = write;
        _headers = [.. sections.Select(section => ctx.Format.CompressedDwarfHeader(ctx, section.Size)!)];
        _made = new long[sections.Count];
        _waiting = [.. sections.Select(_ => new Waiting())];
        _ended = new bool[sections.Count];
        _address = Rounded(ctx.DwarfSegment.Vaddr);
    }

    /// <inheritdoc/>
    public long Take(int stream, NativeBuffer buffer, bool last)
    {
        lock (_gate)
        {
            _made[stream] += buffer.Length;
            if (!IsSmaller(stream))
            {
                _waiting[stream].Dispose();
            }
            else if (stream == _current)
            {
                Write(buffer.Span);
            }
            else
            {
                _waiting[stream].Add(buffer.Span);
            }
            buffer.Clear();
            _ended[stream] = last;
            while (_current < _sections.Count && _ended[_current])
            {
                Settle(_current);
                Begin(_current + 1);
            }
            return _waiting[stream].Length;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Waiting waiting in _waiting)
        {
            waiting.Dispose();
        }
    }

    // All of a section's stream is there.
    private void Settle(int index)
    {
        Section output = _sections[index].Output;
        output.Vaddr = _address;
        if (IsSmaller(index))
        {
            _write(Offset, _headers[index]);
            output.Name = _ctx.Format.CompressedDwarfName(_sections[index].Name);
            output.Align = _ctx.Target.Cpu.AccessAlign(_ctx.Release);
            output.Length = (ulong)(_headers[index].Length + _written);
            output.Compressed = true;
        }
        else
        {
            WriteContent(_sections[index]);
        }
        _address = Rounded(output.End);
    }

    // What waited for its place has one.
    private void Begin(int index)
    {
        _current = index;
        _written = 0;
        if (index < _sections.Count)
        {
            _waiting[index].PassOn(Write);
        }
    }

    private bool IsSmaller(int index) => _headers[index].Length + _made[index] < _sections[index].Size;

    private void Write(ReadOnlySpan<byte> bytes)
    {
        _write(Offset + _headers[_current].Length + _written, bytes);
        _written += bytes.Length;
    }

    private void WriteContent(DwarfSection section)
    {
        const int PieceSize = 1 << 16;
        using DwarfReader reader = new(_ctx, section);
        using NativeArray<byte> piece = new(Math.Min(PieceSize, section.Size));
        for (long at = 0; at < section.Size;)
        {
            Span<byte> part = piece.AsSpan()[..(int)Math.Min(piece.Length, section.Size - at)];
            reader.Read(at, part);
            _write(Offset + at, part);
            at += part.Length;
        }
    }

    private long Offset => _ctx.DwarfSegment.OffsetOf(_address);

    private ulong Rounded(ulong address)
    {
        ulong round = (ulong)_ctx.Format.DwarfSectionRounding;
        return (address + round - 1) / round * round;
    }

    /// <summary>Bytes that wait for their place, in blocks: one buffer that grows would be copied, and take twice the memory.</summary>
    private sealed class Waiting : IDisposable
    {
        private const int BlockSize = 1 << 15;

        private readonly Queue<NativeArray<byte>> _blocks = new();
        private NativeArray<byte>? _last;

        /// <summary>Number of bytes.</summary>
        public long Length { get; private set; }

        /// <summary>Adds bytes.</summary>
        public void Add(ReadOnlySpan<byte> bytes)
        {
            while (!bytes.IsEmpty)
            {
                int used = (int)(Length % BlockSize);
                if (used == 0)
                {
                    _last = new NativeArray<byte>(BlockSize);
                    _blocks.Enqueue(_last);
                }
                int count = Math.Min(bytes.Length, BlockSize - used);
                bytes[..count].CopyTo(_last!.Span(used, count));
                bytes = bytes[count..];
                Length += count;
            }
        }

        /// <summary>Hands all bytes on; there are none then.</summary>
        public void PassOn(Action<ReadOnlySpan<byte>> write)
        {
            while (_blocks.TryDequeue(out NativeArray<byte>? block))
            {
                int count = (int)Math.Min(BlockSize, Length);
                write(block.AsSpan()[..count]);
                Length -= count;
                block.Dispose();
            }
        }

        /// <inheritdoc/>
        public void Dispose() => PassOn(static _ => { });
    }
}
