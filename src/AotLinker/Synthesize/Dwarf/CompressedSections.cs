using System.Buffers;
using AotLinker.Compression;
using AotLinker.Layout;

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

    // By section: its header in the file, how many bytes of its stream are written, and what is left of it once it has ended.
    private readonly byte[][] _headers;
    private readonly long[] _written;
    private readonly NativeBuffer?[] _ended;

    // The section that is written now, and its address.
    private int _current;
    private ulong _address;

    /// <summary>For the sections of a link, from its DWARF segment's address and file offset on.</summary>
    public CompressedSections(LinkContext ctx, IReadOnlyList<DwarfSection> sections, Action<long, ReadOnlySpan<byte>> write)
    {
        _ctx = ctx;
        _sections = sections;
        _write = write;
        _headers = [.. sections.Select(section => ctx.Format.CompressedDwarfHeader(ctx, section.Size)!)];
        _written = new long[sections.Count];
        _ended = new NativeBuffer?[sections.Count];
        _address = Rounded(ctx.DwarfSegment.Vaddr);
    }

    /// <inheritdoc/>
    public void Continue(int stream, NativeBuffer buffer)
    {
        lock (_gate)
        {
            if (stream == _current && IsSmaller(stream, buffer))
            {
                Write(stream, buffer);
            }
        }
    }

    /// <inheritdoc/>
    public void End(int stream, NativeBuffer rest)
    {
        lock (_gate)
        {
            _ended[stream] = rest;
            while (_current < _sections.Count && _ended[_current] is not null)
            {
                Settle(_current++);
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (NativeBuffer? rest in _ended)
        {
            rest?.Dispose();
        }
    }

    // All of a section's stream is there.
    private void Settle(int index)
    {
        NativeBuffer rest = _ended[index]!;
        Section output = _sections[index].Output;
        output.Vaddr = _address;
        if (IsSmaller(index, rest))
        {
            Write(index, rest);
            _write(Offset, _headers[index]);
            output.Name = _ctx.Format.CompressedDwarfName(_sections[index].Name);
            output.Align = _ctx.Target.Cpu.AccessAlign(_ctx.Release);
            output.Length = (ulong)(_headers[index].Length + _written[index]);
            output.Compressed = true;
        }
        else
        {
            WriteContent(_sections[index]);
        }
        rest.Dispose();
        _ended[index] = null;
        _address = Rounded(output.End);
    }

    private bool IsSmaller(int index, NativeBuffer more) => _headers[index].Length + _written[index] + more.Length < _sections[index].Size;

    private void Write(int index, NativeBuffer buffer)
    {
        _write(Offset + _headers[index].Length + _written[index], buffer.Span);
        _written[index] += buffer.Length;
        buffer.Clear();
    }

    private void WriteContent(DwarfSection section)
    {
        const int PieceSize = 1 << 16;
        byte[] piece = ArrayPool<byte>.Shared.Rent((int)Math.Min(PieceSize, section.Size));
        for (long at = 0; at < section.Size;)
        {
            int length = (int)Math.Min(piece.Length, section.Size - at);
            section.Read(_ctx, at, piece.AsSpan(0, length));
            _write(Offset + at, piece.AsSpan(0, length));
            at += length;
        }
        ArrayPool<byte>.Shared.Return(piece);
    }

    private long Offset => _ctx.DwarfSegment.OffsetOf(_address);

    private ulong Rounded(ulong address)
    {
        ulong round = (ulong)_ctx.Format.DwarfSectionRounding;
        return (address + round - 1) / round * round;
    }
}
