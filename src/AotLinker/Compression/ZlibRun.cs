using AotLinker.Hashing;
using AotLinker.Mapping;

namespace AotLinker.Compression;

/// <summary>
/// Some of a stream's data, read in one go, and in front of it what the one before left: bytes that fill no block yet, and the window.
/// </summary>
internal sealed unsafe class ZlibRun : IDisposable
{
    /// <summary>Bytes that are read at least, unless the data ends: two blocks.</summary>
    public const int Least = 2 * DeflateTables.MaxStored;

    /// <summary>Bytes that can be read: sources give more than they are asked for.</summary>
    public const int Room = Least + (48 << 10);

    // The window, and what is less than a block.
    private const int Front = DeflateTables.WindowSize + DeflateTables.MaxStored;

    private readonly NativeArray<byte> _memory = new(BlockMatcher.LeadIn + Front + Room);
    private readonly byte* _data;
    private byte* _end;

    public ZlibRun()
    {
        _data = _memory.Base + BlockMatcher.LeadIn + Front;
        Next = _data;
        _end = _data;
    }

    /// <summary>Adler-32 of what was read.</summary>
    public uint Checksum { get; private set; }

    /// <summary>Bytes that were read.</summary>
    public int Length { get; private set; }

    /// <summary>Whether the stream ends with it.</summary>
    public bool IsLast { get; private set; }

    /// <summary>The first byte that is not compressed yet.</summary>
    public byte* Next { get; private set; }

    /// <summary>Number of bytes from <see cref="Next"/> on.</summary>
    public int Left => (int)(_end - Next);

    /// <summary>Reads what stands from <paramref name="offset"/> on, up to <paramref name="limit"/> at most, where the source may go on.</summary>
    public void Read(IZlibSource source, long offset, long limit)
    {
        int room = (int)long.Min(Room, limit - offset);
        Length = room == 0 ? 0 : source.ReadOn(offset, new Span<byte>(_data, room), int.Min(Least, room));
        Checksum = Adler32.Compute(new ReadOnlySpan<byte>(_data, Length));
        IsLast = offset + Length == source.Length;
        Next = _data;
        _end = _data + Length;
    }

    /// <summary>Goes on where <paramref name="before"/> stopped.</summary>
    public void Follow(ZlibRun before)
    {
        int left = before.Left;
        int carried = DeflateTables.WindowSize + left;
        Next = _data - left;
        Buffer.MemoryCopy(before.Next - DeflateTables.WindowSize, Next - DeflateTables.WindowSize, carried, carried);
    }

    /// <summary>Leaves nothing but the window behind <paramref name="data"/>, which was read elsewhere.</summary>
    public void Skip(ReadOnlySpan<byte> data)
    {
        data[^DeflateTables.WindowSize..].CopyTo(new Span<byte>(_data - DeflateTables.WindowSize, DeflateTables.WindowSize));
        Next = _data;
        _end = _data;
    }

    /// <summary>Says that some bytes are compressed.</summary>
    public void MoveOn(int count) => Next += count;

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();
}
