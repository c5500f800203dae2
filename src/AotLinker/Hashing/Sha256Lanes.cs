using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using ArmSha256 = System.Runtime.Intrinsics.Arm.Sha256;

namespace AotLinker.Hashing;

/// <summary>
/// SHA-256 of equal pieces side by side, one per vector lane: a Mach-O code signature lists the digest of every 4 KiB of the
/// file, and these do not depend on each other.
/// </summary>
internal static unsafe class Sha256Lanes
{
    /// <summary>
    /// Stores the digest of each <paramref name="pieceSize"/> bytes of <paramref name="data"/>, the last of which may be shorter,
    /// one after the other in <paramref name="digests"/>.
    /// </summary>
    /// <param name="pieceSize">A multiple of 64.</param>
    public static void HashPieces(ReadOnlySpan<byte> data, int pieceSize, Span<byte> digests) =>
        HashPieces(data, pieceSize, digests, inLanes: !ArmSha256.IsSupported && !Sha256Native.IsSupported);

    /// <summary>The same, in vector lanes or with the CPU's instructions for one stream, which are faster where there are any.</summary>
    internal static void HashPieces(ReadOnlySpan<byte> data, int pieceSize, Span<byte> digests, bool inLanes)
    {
        if (pieceSize <= 0 || pieceSize % Sha256.BlockSize != 0)
            throw new ArgumentOutOfRangeException(nameof(pieceSize));
        if (Vector256.IsHardwareAccelerated && inLanes)
            HashWhole<Lanes8>(ref data, pieceSize, ref digests);
        if (Vector128.IsHardwareAccelerated && inLanes)
            HashWhole<Lanes4>(ref data, pieceSize, ref digests);
        while (!data.IsEmpty)
        {
            int length = int.Min(data.Length, pieceSize);
            Sha256.Hash(data[..length], digests[..Sha256.DigestSize]);
            data = data[length..];
            digests = digests[Sha256.DigestSize..];
        }
    }

    private static void HashWhole<TLanes>(ref ReadOnlySpan<byte> data, int pieceSize, ref Span<byte> digests)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        int group = checked(pieceSize * TLanes.Count);
        TLanes* w = stackalloc TLanes[64];
        TLanes* state = stackalloc TLanes[8];
        // Whole pieces all end alike: a block that says so, and how long they were.
        Span<byte> padding = stackalloc byte[2 * Sha256.BlockSize];
        Sha256.Pad([], (ulong)pieceSize, padding);
        fixed (uint* k = Sha256Blocks.K)
        {
            while (data.Length >= group)
            {
                Start(state);
                fixed (byte* pieces = data)
                {
                    for (int at = 0; at < pieceSize; at += Sha256.BlockSize)
                    {
                        for (int t = 0; t < 16; t++)
                            w[t] = TLanes.Gather(pieces + at + 4 * t, pieceSize);
                        Compress(state, w, k);
                    }
                }
                for (int t = 0; t < 16; t++)
                    w[t] = TLanes.Create(BinaryPrimitives.ReadUInt32BigEndian(padding[(4 * t)..]));
                Compress(state, w, k);
                Store(state, digests);
                data = data[group..];
                digests = digests[(TLanes.Count * Sha256.DigestSize)..];
            }
        }
    }

    private static void Start<TLanes>(TLanes* state) where TLanes : unmanaged, ILanes<TLanes>
    {
        Sha256State initial = Sha256State.Initial;
        ReadOnlySpan<uint> words = MemoryMarshal.Cast<Sha256State, uint>(new ReadOnlySpan<Sha256State>(in initial));
        for (int i = 0; i < 8; i++)
            state[i] = TLanes.Create(words[i]);
    }

    private static void Store<TLanes>(TLanes* state, Span<byte> digests) where TLanes : unmanaged, ILanes<TLanes>
    {
        for (int lane = 0; lane < TLanes.Count; lane++)
        {
            for (int i = 0; i < 8; i++)
                BinaryPrimitives.WriteUInt32BigEndian(digests[(lane * Sha256.DigestSize + 4 * i)..], ((uint*)(state + i))[lane]);
        }
    }

    private static void Compress<TLanes>(TLanes* state, TLanes* w, uint* k) where TLanes : unmanaged, ILanes<TLanes>
    {
        for (int t = 16; t < 64; t++)
        {
            TLanes x = w[t - 15];
            TLanes y = w[t - 2];
            TLanes small0 = TLanes.Rotate(x, 7) ^ TLanes.Rotate(x, 18) ^ TLanes.Shift(x, 3);
            TLanes small1 = TLanes.Rotate(y, 17) ^ TLanes.Rotate(y, 19) ^ TLanes.Shift(y, 10);
            w[t] = w[t - 16] + small0 + w[t - 7] + small1;
        }
        TLanes a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
        for (int t = 0; t < 64; t += 8)
        {
            Round(a, b, c, ref d, e, f, g, ref h, w[t] + TLanes.Create(k[t]));
            Round(h, a, b, ref c, d, e, f, ref g, w[t + 1] + TLanes.Create(k[t + 1]));
            Round(g, h, a, ref b, c, d, e, ref f, w[t + 2] + TLanes.Create(k[t + 2]));
            Round(f, g, h, ref a, b, c, d, ref e, w[t + 3] + TLanes.Create(k[t + 3]));
            Round(e, f, g, ref h, a, b, c, ref d, w[t + 4] + TLanes.Create(k[t + 4]));
            Round(d, e, f, ref g, h, a, b, ref c, w[t + 5] + TLanes.Create(k[t + 5]));
            Round(c, d, e, ref f, g, h, a, ref b, w[t + 6] + TLanes.Create(k[t + 6]));
            Round(b, c, d, ref e, f, g, h, ref a, w[t + 7] + TLanes.Create(k[t + 7]));
        }
        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
        state[4] += e;
        state[5] += f;
        state[6] += g;
        state[7] += h;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round<TLanes>(TLanes a, TLanes b, TLanes c, ref TLanes d, TLanes e, TLanes f, TLanes g, ref TLanes h, TLanes wk)
        where TLanes : unmanaged, ILanes<TLanes>
    {
        TLanes t = h + wk + (TLanes.Rotate(e, 6) ^ TLanes.Rotate(e, 11) ^ TLanes.Rotate(e, 25)) + (g ^ (e & (f ^ g)));
        d += t;
        h = t + (TLanes.Rotate(a, 2) ^ TLanes.Rotate(a, 13) ^ TLanes.Rotate(a, 22)) + ((a & b) ^ (c & (a ^ b)));
    }

    /// <summary>A vector of 32-bit words, one for each piece.</summary>
    private interface ILanes<TSelf> where TSelf : unmanaged, ILanes<TSelf>
    {
        static abstract int Count { get; }

        static abstract TSelf Create(uint word);

        /// <summary>The big-endian word at <paramref name="data"/> and those at multiples of <paramref name="stride"/> from it.</summary>
        static abstract TSelf Gather(byte* data, nint stride);

        static abstract TSelf Rotate(TSelf x, int count);

        static abstract TSelf Shift(TSelf x, int count);

        static abstract TSelf operator +(TSelf x, TSelf y);

        static abstract TSelf operator ^(TSelf x, TSelf y);

        static abstract TSelf operator &(TSelf x, TSelf y);
    }

    private readonly struct Lanes4(Vector128<uint> value) : ILanes<Lanes4>
    {
        private readonly Vector128<uint> _value = value;

        public static int Count => 4;

        public static Lanes4 Create(uint word) => new(Vector128.Create(word));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes4 Gather(byte* data, nint stride) =>
            new(Vector128.Create(Word(data), Word(data + stride), Word(data + 2 * stride), Word(data + 3 * stride)));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes4 Rotate(Lanes4 x, int count) => new((x._value >>> count) | (x._value << (32 - count)));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes4 Shift(Lanes4 x, int count) => new(x._value >>> count);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes4 operator +(Lanes4 x, Lanes4 y) => new(x._value + y._value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes4 operator ^(Lanes4 x, Lanes4 y) => new(x._value ^ y._value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes4 operator &(Lanes4 x, Lanes4 y) => new(x._value & y._value);
    }

    private readonly struct Lanes8(Vector256<uint> value) : ILanes<Lanes8>
    {
        private readonly Vector256<uint> _value = value;

        public static int Count => 8;

        public static Lanes8 Create(uint word) => new(Vector256.Create(word));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes8 Gather(byte* data, nint stride) => new(Vector256.Create(
            Word(data), Word(data + stride), Word(data + 2 * stride), Word(data + 3 * stride),
            Word(data + 4 * stride), Word(data + 5 * stride), Word(data + 6 * stride), Word(data + 7 * stride)));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes8 Rotate(Lanes8 x, int count) => new((x._value >>> count) | (x._value << (32 - count)));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes8 Shift(Lanes8 x, int count) => new(x._value >>> count);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes8 operator +(Lanes8 x, Lanes8 y) => new(x._value + y._value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes8 operator ^(Lanes8 x, Lanes8 y) => new(x._value ^ y._value);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Lanes8 operator &(Lanes8 x, Lanes8 y) => new(x._value & y._value);
    }

    private static uint Word(byte* data) => BinaryPrimitives.ReverseEndianness(*(uint*)data);
}
