using System.Buffers.Binary;
using AotLinker.Layout;

namespace AotLinker.Formats.Pe;

/// <summary>
/// Writes the hash by which a program checks its FIPS module into a program for Windows that another linker has made (ld.pefips). The module
/// is described by go:fipsinfo, which has no section of its own and is looked for at the start of .data.
/// </summary>
internal static class PeFips
{
    private const int Regions = 4;
    private const int Step = 16;
    private const int MaxScan = 16 << 20;
    private const int PageMask = 0xfff;

    /// <summary>Seals a program. As with the Go linker, one that doesn't look as it should is left as it is.</summary>
    /// <param name="path">The program.</param>
    /// <param name="isWide">Whether addresses have 64 bits.</param>
    /// <param name="copy">File that gets what is hashed; empty for none (-fipso).</param>
    public static void Seal(string path, bool isWide, string copy)
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite);
            if (PeImageReader.Read(file) is not { } image)
                return;
            using FipsSum sum = new(file, copy);
            int pointer = isWide ? 8 : 4;
            int length = FipsSections.MagicLength + FipsSections.SumLength + (((2 * Regions) + 1) * pointer);
            if (image.Section(".data"u8) is not { } data || Find(file, data, length) is not var (offset, info))
                return;

            // The addresses count from where the program wants to lie, those of sections from its begin.
            info = info[(FipsSections.MagicLength + FipsSections.SumLength)..];
            long self = Address(info, 0);
            if ((self & PageMask) != (offset & PageMask))
                return;
            long distance = data.Address + offset - self;
            for (int i = 0; i < Regions; i++)
            {
                long start = Address(info, (2 * i) + 1) + distance, end = Address(info, (2 * i) + 2) + distance;
                if (image.SectionAt(start, end) is not { } section)
                    return;
                sum.AddRange(start - section.Address + section.Offset, end - start);
            }
            sum.WriteTo(data.Offset + offset);

            long Address(byte[] from, int i) => isWide
                ? BinaryPrimitives.ReadInt64LittleEndian(from.AsSpan(8 * i)) : BinaryPrimitives.ReadUInt32LittleEndian(from.AsSpan(4 * i));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A program that checks itself will say so when it is run.
        }
    }

    private static (long Offset, byte[] Content)? Find(FileStream file, PeImageSection data, int length)
    {
        byte[] start = new byte[Math.Min(data.Size, MaxScan + (long)length)];
        file.Position = data.Offset;
        file.ReadExactly(start);
        for (int at = 0; at < MaxScan && at + length <= start.Length; at += Step)
        {
            if (start.AsSpan(at).StartsWith(FipsSections.Magic))
                return (at, start[at..(at + length)]);
        }
        return null;
    }
}
