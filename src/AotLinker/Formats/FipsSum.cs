using System.Buffers.Binary;
using AotLinker.Hashing;
using AotLinker.Layout;

namespace AotLinker.Formats;

/// <summary>The hash of a FIPS module in a program that another linker has made (fipsObj): ranges of the file, each behind its length.</summary>
internal sealed class FipsSum : IDisposable
{
    private const int Piece = 1 << 16;

    private readonly FileStream _program;
    private readonly FileStream? _copy;
    // Changes in place: not to be read-only.
    private HmacSha256 _hash = new(new byte[32]);

    /// <summary>Begins a hash.</summary>
    /// <param name="program">The program.</param>
    /// <param name="copy">File that gets what is hashed; empty for none (-fipso).</param>
    /// <exception cref="IOException">That file can't be made.</exception>
    public FipsSum(FileStream program, string copy)
    {
        _program = program;
        _copy = copy.Length == 0 ? null : new FileStream(copy, FileMode.Create, FileAccess.Write);
        Add("go fips object v1\n"u8);
    }

    /// <summary>Adds a range of the program.</summary>
    /// <exception cref="IOException">The program ends before it.</exception>
    public void AddRange(long offset, long length) => AddRange(offset, length, length);

    /// <summary>Adds a range of the program of which it may have only the beginning.</summary>
    /// <param name="offset">File offset.</param>
    /// <param name="length">The length that is hashed in front of it.</param>
    /// <param name="held">How much of it is hashed.</param>
    /// <exception cref="IOException">The program ends before that.</exception>
    public void AddRange(long offset, long length, long held)
    {
        Span<byte> size = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(size, length);
        Add(size);
        byte[] piece = new byte[Math.Min(Piece, held)];
        _program.Position = offset;
        for (long left = held; left > 0;)
        {
            Span<byte> part = piece.AsSpan(0, (int)Math.Min(piece.Length, left));
            _program.ReadExactly(part);
            Add(part);
            left -= part.Length;
        }
    }

    /// <summary>Writes the hash into go:fipsinfo.</summary>
    /// <param name="info">Where that lies in the program.</param>
    public void WriteTo(long info)
    {
        byte[] sum = new byte[FipsSections.SumLength];
        _hash.Finish(sum);
        _program.Position = info + FipsSections.MagicLength;
        _program.Write(sum);
    }

    /// <inheritdoc/>
    public void Dispose() => _copy?.Dispose();

    private void Add(ReadOnlySpan<byte> bytes)
    {
        _hash.Update(bytes);
        _copy?.Write(bytes);
    }
}
