using System.Numerics;
using System.Runtime.CompilerServices;

namespace AotLinker.Compression;

/// <summary>The constants of RFC 1951: alphabets, length and distance codes and their extra bits.</summary>
internal static class DeflateTables
{
    /// <summary>Longest match that one length/distance pair can say.</summary>
    public const int MaxMatch = 258;

    /// <summary>Shortest match that the format can say; lengths are stored less this.</summary>
    public const int MinMatch = 3;

    /// <summary>Farthest distance that the format can say.</summary>
    public const int WindowSize = 32768;

    /// <summary>Most bytes in one stored block, and Go's unit of input for its block-wise levels.</summary>
    public const int MaxStored = 65535;

    /// <summary>The symbol that ends a block.</summary>
    public const int EndOfBlock = 256;

    /// <summary>Symbol of the first length code.</summary>
    public const int FirstLength = 257;

    /// <summary>Literals, end of block and length codes in use.</summary>
    public const int LiteralSymbols = 286;

    /// <summary>Distance codes in use.</summary>
    public const int DistanceSymbols = 30;

    /// <summary>Symbols of the alphabet that describes code lengths.</summary>
    public const int LengthSymbols = 19;

    /// <summary>Number of length codes (symbols 257 to 285).</summary>
    public const int LengthCodes = LiteralSymbols - FirstLength;

    /// <summary>Length code (0 to 28) of a match length less three.</summary>
    public static ReadOnlySpan<byte> LengthCode =>
    [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 12, 12, 13, 13, 13, 13, 14, 14, 14, 14, 15, 15, 15, 15,
        16, 16, 16, 16, 16, 16, 16, 16, 17, 17, 17, 17, 17, 17, 17, 17, 18, 18, 18, 18, 18, 18, 18, 18, 19, 19, 19, 19, 19, 19, 19, 19,
        20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 20, 21, 21, 21, 21, 21, 21, 21, 21, 21, 21, 21, 21, 21, 21, 21, 21,
        22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 22, 23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 23, 23,
        24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24, 24,
        25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25, 25,
        26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26, 26,
        27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 27, 28,
    ];

    /// <summary>Extra bits of each length code.</summary>
    public static ReadOnlySpan<byte> LengthExtraBits =>
        [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0, 0, 0, 0];

    /// <summary>First length, less three, of each length code.</summary>
    public static ReadOnlySpan<byte> LengthBase =>
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 255, 0, 0, 0];

    /// <summary>Extra bits of each distance code.</summary>
    public static ReadOnlySpan<byte> DistanceExtraBits =>
        [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13, 0, 0];

    /// <summary>Order in which a dynamic header lists the lengths of the code-length alphabet.</summary>
    public static ReadOnlySpan<byte> LengthSymbolOrder =>
        [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

    /// <summary>Distance code (0 to 29) of a distance less one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint DistanceCode(uint distance)
    {
        if (distance < 2)
            return distance;
        int top = BitOperations.Log2(distance);
        return (uint)(2 * top) + ((distance >> (top - 1)) & 1);
    }
}
