using System.Buffers.Binary;
using AotLinker.Layout;

namespace AotLinker.Formats.MachO;

/// <summary>
/// Writes the hash by which a program checks its FIPS module into a program that another linker has made: where the module lies is told by
/// the section __go_fipsinfo (ld.machofips).
/// </summary>
internal static class MachOFips
{
    private const int Regions = 4;
    private const int AddressSize = 8;

    // The upper bits of addresses are the dynamic linker's.
    private const ulong AddressMask = (1UL << 48) - 1;

    /// <summary>Seals a program. As with the Go linker, one that doesn't look as it should is left as it is.</summary>
    /// <param name="path">The program.</param>
    /// <param name="copy">File that gets what is hashed; empty for none (-fipso).</param>
    public static void Seal(string path, string copy)
    {
        const int Addresses = FipsSections.MagicLength + FipsSections.SumLength;
        try
        {
            using MachOImage image = MachOImage.Open(path);
            using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
            using FipsSum sum = new(file, copy);
            if (image.FindSection("__go_fipsinfo") is not var (segment, index)
                || segment.SectionLength(index) < Addresses + (((2 * Regions) + 1) * AddressSize))
            {
                return;
            }
            long at = segment.SectionOffset(index);
            byte[] info = image.Read(at, (long)segment.SectionLength(index), "__go_fipsinfo");
            // The section begins with its own address.
            long inFile = at - Address(0);
            for (int i = 0; i < Regions; i++)
            {
                long start = Address(1 + (2 * i)) + inFile, end = Address(2 + (2 * i)) + inFile;
                if (start < 0)
                    return;
                sum.AddRange(start, end - start, Math.Max(0, Math.Min(end, image.Length) - start));
            }
            sum.WriteTo(at);

            long Address(int n) => (long)(BinaryPrimitives.ReadUInt64LittleEndian(info.AsSpan(Addresses + (n * AddressSize))) & AddressMask);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or MachOException)
        {
            // A program that checks itself will say so when it is run.
        }
    }
}
