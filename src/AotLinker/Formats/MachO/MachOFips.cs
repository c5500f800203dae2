using System.Buffers.Binary;
using AotLinker.Hashing;
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
            using FileStream? hashed = copy.Length == 0 ? null : new FileStream(copy, FileMode.Create, FileAccess.Write);
            HmacSha256 hash = new(new byte[32]);
            Add("go fips object v1\n"u8);
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
                byte[] length = new byte[8];
                BinaryPrimitives.WriteInt64BigEndian(length, end - start);
                Add(length);
                end = Math.Min(end, image.Length);
                byte[] piece = new byte[1 << 16];
                while (start < end)
                {
                    Span<byte> part = piece.AsSpan(0, (int)Math.Min(piece.Length, end - start));
                    image.ReadFully(part, start);
                    Add(part);
                    start += part.Length;
                }
            }
            byte[] sum = new byte[FipsSections.SumLength];
            hash.Finish(sum);
            RandomAccess.Write(file.SafeFileHandle, sum, at + FipsSections.MagicLength);

            long Address(int n) => (long)(BinaryPrimitives.ReadUInt64LittleEndian(info.AsSpan(Addresses + (n * AddressSize))) & AddressMask);

            void Add(ReadOnlySpan<byte> bytes)
            {
                hash.Update(bytes);
                hashed?.Write(bytes);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or MachOException)
        {
            // A program that checks itself will say so when it is run.
        }
    }
}
