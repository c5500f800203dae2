using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AotLinker.Hashing;

/// <summary>
/// SHA-256 (FIPS 180-4), over data that arrives in pieces or at once. Managed throughout: the BCL's needs libssl on
/// Linux, and a linker must run where there is none.
/// </summary>
/// <remarks>A mutable struct of 104 bytes: copy it to fork a hash, pass it by reference to continue one.</remarks>
internal struct Sha256
{
    /// <summary>Bytes in a digest.</summary>
    public const int DigestSize = 32;

    /// <summary>Bytes compressed at a time.</summary>
    public const int BlockSize = 64;

    private Sha256State _state;
    private Block _partial;
    private ulong _length;

    /// <summary>A hash of nothing so far.</summary>
    public Sha256()
    {
        _state = Sha256State.Initial;
    }

    /// <summary>Hashes <paramref name="data"/> into <paramref name="digest"/> (32 bytes).</summary>
    public static void Hash(ReadOnlySpan<byte> data, Span<byte> digest)
    {
        var hash = new Sha256();
        hash.Update(data);
        hash.Finish(digest);
    }

    /// <summary>Adds <paramref name="data"/>.</summary>
    public void Update(ReadOnlySpan<byte> data)
    {
        int filled = (int)(_length % BlockSize);
        _length += (ulong)data.Length;
        if (filled > 0)
        {
            Span<byte> partial = _partial;
            int taken = int.Min(data.Length, BlockSize - filled);
            data[..taken].CopyTo(partial[filled..]);
            if (filled + taken < BlockSize)
                return;
            Sha256Blocks.Compress(ref _state, partial);
            data = data[taken..];
        }
        int whole = data.Length & ~(BlockSize - 1);
        Sha256Blocks.Compress(ref _state, data[..whole]);
        data[whole..].CopyTo(_partial);
    }

    /// <summary>Stores the digest (32 bytes). The hash is used up.</summary>
    public void Finish(Span<byte> digest)
    {
        Span<byte> last = stackalloc byte[2 * BlockSize];
        int size = Pad(((ReadOnlySpan<byte>)_partial)[..(int)(_length % BlockSize)], _length, last);
        Sha256Blocks.Compress(ref _state, last[..size]);
        _state.Store(digest);
    }

    /// <summary>
    /// Lays out a message's last bytes, a one bit, zeros, and the length of all in bits. Returns 64 or 128, the
    /// bytes of <paramref name="last"/> in use.
    /// </summary>
    internal static int Pad(ReadOnlySpan<byte> rest, ulong totalLength, Span<byte> last)
    {
        int size = rest.Length + 1 + sizeof(ulong) <= BlockSize ? BlockSize : 2 * BlockSize;
        last = last[..size];
        last.Clear();
        rest.CopyTo(last);
        last[rest.Length] = 0x80;
        BinaryPrimitives.WriteUInt64BigEndian(last[(size - sizeof(ulong))..], totalLength * 8);
        return size;
    }

    [InlineArray(BlockSize)]
    private struct Block
    {
        private byte _first;
    }
}

/// <summary>The eight words carried from block to block.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct Sha256State
{
    public uint A, B, C, D, E, F, G, H;

    /// <summary>The state before the first block.</summary>
    public static Sha256State Initial => new()
    {
        A = 0x6a09e667,
        B = 0xbb67ae85,
        C = 0x3c6ef372,
        D = 0xa54ff53a,
        E = 0x510e527f,
        F = 0x9b05688c,
        G = 0x1f83d9ab,
        H = 0x5be0cd19,
    };

    /// <summary>Stores the words, most significant byte first.</summary>
    public readonly void Store(Span<byte> digest)
    {
        BinaryPrimitives.WriteUInt32BigEndian(digest, A);
        BinaryPrimitives.WriteUInt32BigEndian(digest[4..], B);
        BinaryPrimitives.WriteUInt32BigEndian(digest[8..], C);
        BinaryPrimitives.WriteUInt32BigEndian(digest[12..], D);
        BinaryPrimitives.WriteUInt32BigEndian(digest[16..], E);
        BinaryPrimitives.WriteUInt32BigEndian(digest[20..], F);
        BinaryPrimitives.WriteUInt32BigEndian(digest[24..], G);
        BinaryPrimitives.WriteUInt32BigEndian(digest[28..], H);
    }
}
