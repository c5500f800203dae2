using AotLinker.Emit;

namespace AotLinker.Cpu;

/// <summary>Immediates of instructions, whose bits are scattered (RISC-V Unprivileged ISA, 2.2 and 26).</summary>
internal sealed partial class RiscV64
{
    // Where each format of instruction keeps its immediate.
    private const uint ItypeMask = 0xfff00000;
    private const uint StypeMask = 0xfe000f80;
    private const uint BtypeMask = 0xfe000f80;
    private const uint UtypeMask = 0xfffff000;
    private const uint JtypeMask = 0xfffff000;
    private const uint CompressedBranchMask = 0x1c7c;
    private const uint CompressedJumpMask = 0x1f7c;

    /// <summary>12 bits in bits 20–31.</summary>
    internal static uint EncodeItype(long v) => (uint)v << 20;

    /// <summary>12 bits: the upper seven in bits 25–31, the rest in bits 7–11.</summary>
    internal static uint EncodeStype(long v) => ((uint)(v >> 5) << 25) | (((uint)v & 0x1f) << 7);

    /// <summary>20 bits in bits 12–31.</summary>
    internal static uint EncodeUtype(long v) => (uint)v << 12;

    /// <summary>A distance of 13 bits, the lowest of which is 0: bits 12, 10–5, 4–1 and 11.</summary>
    internal static uint EncodeBtype(long v) => (Bits(v, 12, 1) << 31) | (Bits(v, 5, 6) << 25) | (Bits(v, 1, 4) << 8) | (Bits(v, 11, 1) << 7);

    /// <summary>A distance of 21 bits, the lowest of which is 0: bits 20, 10–1, 11 and 19–12.</summary>
    internal static uint EncodeJtype(long v) =>
        (Bits(v, 20, 1) << 31) | (Bits(v, 1, 10) << 21) | (Bits(v, 11, 1) << 20) | (Bits(v, 12, 8) << 12);

    /// <summary>A distance of 9 bits in a compressed branch: bits 8, 4–3 in bits 10–12; 7–6, 2–1 and 5 in bits 2–6.</summary>
    internal static uint EncodeCompressedBranch(long v) =>
        (Bits(v, 8, 1) << 12) | (Bits(v, 3, 2) << 10) | (Bits(v, 6, 2) << 5) | (Bits(v, 1, 2) << 3) | (Bits(v, 5, 1) << 2);

    /// <summary>A distance of 12 bits in a compressed jump: bits 11, 4, 9–8, 10, 6, 7, 3–1 and 5 in bits 2–12.</summary>
    internal static uint EncodeCompressedJump(long v) =>
        (Bits(v, 11, 1) << 12) | (Bits(v, 4, 1) << 11) | (Bits(v, 8, 2) << 9) | (Bits(v, 10, 1) << 8) | (Bits(v, 6, 1) << 7)
        | (Bits(v, 7, 1) << 6) | (Bits(v, 1, 3) << 3) | (Bits(v, 5, 1) << 2);

    /// <summary>
    /// Splits 32 bits into the upper 20 and the lower 12 that are added to them, both signed. What fits in 12 bits has no upper part.
    /// </summary>
    internal static (long High, long Low) Split(long v)
    {
        long low = v << 52 >> 52;
        return low == v ? (0, v) : ((v - low) >> 12, low);
    }

    private static uint Bits(long v, int from, int count) => (uint)(v >> from) & ((1u << count) - 1);

    /// <summary>What is wrong with an immediate of <paramref name="bits"/> signed bits; null for nothing (immIFits, immEven).</summary>
    private static string? Misfit(long v, int bits, bool isEven)
    {
        long min = -1L << (bits - 1);
        long max = ~min;
        if (v < min || v > max)
        {
            return bits <= 16
                ? $"signed immediate {v} must be in range [{min}, {max}] ({bits} bits)"
                : $"signed immediate {Hex(v)} must be in range [{Hex(min)}, {Hex(max)}] ({bits} bits)";
        }
        return isEven && (v & 1) != 0 ? $"immediate {Hex(v)} is not a multiple of two" : null;

        static string Hex(long n) => n < 0 ? "-0x" + RelocSite.GoHex(n)[1..] : "0x" + RelocSite.GoHex(n);
    }
}
