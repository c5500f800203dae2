using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using ArmSha256 = System.Runtime.Intrinsics.Arm.Sha256;

namespace AotLinker.Hashing;

/// <summary>
/// SHA-256's compression function: with the CPU's instructions for it where there are any, else in scalar code. (.NET 10 has no
/// x86 SHA intrinsics, hence <see cref="Sha256Native"/>. Without those, <see cref="Sha256Lanes"/> makes up for it where many equal
/// pieces are to be hashed.)
/// </summary>
internal static unsafe class Sha256Blocks
{
    /// <summary>The round constants.</summary>
    public static ReadOnlySpan<uint> K =>
    [
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
        0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
        0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
        0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
        0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
        0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
        0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
        0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    ];

    // For less it is not worth to find out what the CPU has.
    private const int ManyBytes = 16 * Sha256.BlockSize;

    /// <summary>Compresses a whole number of 64-byte blocks.</summary>
    public static void Compress(ref Sha256State state, ReadOnlySpan<byte> blocks)
    {
        fixed (byte* data = blocks)
        fixed (uint* k = K)
        {
            byte* end = data + blocks.Length;
            if (ArmSha256.IsSupported)
                CompressArm(ref state, data, end, k);
            else if (blocks.Length >= ManyBytes && Sha256Native.IsSupported)
                Sha256Native.Compress(ref state, data, end, k);
            else
                CompressScalar(ref state, data, end, k);
        }
    }

    /// <summary>The portable form.</summary>
    internal static void CompressScalar(ref Sha256State state, byte* data, byte* end, uint* k)
    {
        uint* w = stackalloc uint[64];
        uint a = state.A, b = state.B, c = state.C, d = state.D, e = state.E, f = state.F, g = state.G, h = state.H;
        for (; data < end; data += Sha256.BlockSize)
        {
            for (int t = 0; t < 16; t++)
                w[t] = BinaryPrimitives.ReverseEndianness(((uint*)data)[t]);
            for (int t = 16; t < 64; t += 2)
            {
                w[t] = Small1(w[t - 2]) + w[t - 7] + Small0(w[t - 15]) + w[t - 16];
                w[t + 1] = Small1(w[t - 1]) + w[t - 6] + Small0(w[t - 14]) + w[t - 15];
            }
            for (int t = 0; t < 64; t += 8)
            {
                // Eight rounds bring the names back to where they were.
                Round(a, b, c, ref d, e, f, g, ref h, w[t] + k[t]);
                Round(h, a, b, ref c, d, e, f, ref g, w[t + 1] + k[t + 1]);
                Round(g, h, a, ref b, c, d, e, ref f, w[t + 2] + k[t + 2]);
                Round(f, g, h, ref a, b, c, d, ref e, w[t + 3] + k[t + 3]);
                Round(e, f, g, ref h, a, b, c, ref d, w[t + 4] + k[t + 4]);
                Round(d, e, f, ref g, h, a, b, ref c, w[t + 5] + k[t + 5]);
                Round(c, d, e, ref f, g, h, a, ref b, w[t + 6] + k[t + 6]);
                Round(b, c, d, ref e, f, g, h, ref a, w[t + 7] + k[t + 7]);
            }
            state.A = a += state.A;
            state.B = b += state.B;
            state.C = c += state.C;
            state.D = d += state.D;
            state.E = e += state.E;
            state.F = f += state.F;
            state.G = g += state.G;
            state.H = h += state.H;
        }
    }

    private static void CompressArm(ref Sha256State state, byte* data, byte* end, uint* k)
    {
        Vector128<uint> abcd = Vector128.Create(state.A, state.B, state.C, state.D);
        Vector128<uint> efgh = Vector128.Create(state.E, state.F, state.G, state.H);
        for (; data < end; data += Sha256.BlockSize)
        {
            Vector128<uint> abcdBefore = abcd;
            Vector128<uint> efghBefore = efgh;
            Vector128<uint> w0 = LoadWords(data);
            Vector128<uint> w1 = LoadWords(data + 16);
            Vector128<uint> w2 = LoadWords(data + 32);
            Vector128<uint> w3 = LoadWords(data + 48);
            for (int t = 0; t < 64; t += 4)
            {
                Vector128<uint> wk = w0 + Vector128.Load(k + t);
                Vector128<uint> abcdNext = ArmSha256.HashUpdate1(abcd, efgh, wk);
                efgh = ArmSha256.HashUpdate2(efgh, abcd, wk);
                abcd = abcdNext;
                Vector128<uint> w4 = ArmSha256.ScheduleUpdate1(ArmSha256.ScheduleUpdate0(w0, w1), w2, w3);
                w0 = w1;
                w1 = w2;
                w2 = w3;
                w3 = w4;
            }
            abcd += abcdBefore;
            efgh += efghBefore;
        }
        state.A = abcd[0];
        state.B = abcd[1];
        state.C = abcd[2];
        state.D = abcd[3];
        state.E = efgh[0];
        state.F = efgh[1];
        state.G = efgh[2];
        state.H = efgh[3];
    }

    private static Vector128<uint> LoadWords(byte* data) =>
        Vector128.Shuffle(Vector128.Load(data), Vector128.Create((byte)3, 2, 1, 0, 7, 6, 5, 4, 11, 10, 9, 8, 15, 14, 13, 12)).AsUInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Round(uint a, uint b, uint c, ref uint d, uint e, uint f, uint g, ref uint h, uint wk)
    {
        uint t = h + wk + (BitOperations.RotateRight(e, 6) ^ BitOperations.RotateRight(e, 11) ^ BitOperations.RotateRight(e, 25))
            + (g ^ (e & (f ^ g)));
        d += t;
        h = t + (BitOperations.RotateRight(a, 2) ^ BitOperations.RotateRight(a, 13) ^ BitOperations.RotateRight(a, 22))
            + ((a & b) | (c & (a | b)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Small0(uint x) => BitOperations.RotateRight(x, 7) ^ BitOperations.RotateRight(x, 18) ^ (x >> 3);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Small1(uint x) => BitOperations.RotateRight(x, 17) ^ BitOperations.RotateRight(x, 19) ^ (x >> 10);
}
