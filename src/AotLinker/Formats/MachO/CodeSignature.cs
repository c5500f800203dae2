using System.Buffers.Binary;
using AotLinker.Hashing;
using AotLinker.Mapping;

namespace AotLinker.Formats.MachO;

/// <summary>
/// The ad-hoc code signature that the system's own linker makes as well: a super blob with one code directory, which lists the SHA-256
/// of every page in front of it. Big-endian, unlike the rest of the file (xnu's kern/cs_blobs.h, cmd/internal/codesign).
/// </summary>
/// <remarks>
/// The pages are read back from the output, mapped or not, by all threads: they do not depend on each other. Each thread holds one lease
/// at a time and the digests of its pages.
/// </remarks>
internal static class CodeSignature
{
    private const int PageSizeLog = 12;
    private const int PageSize = 1 << PageSizeLog;
    private const int PagesPerPiece = OutputFile.MaxMade / PageSize;
    private const int SuperBlobSize = 12 + 8;
    private const int DirectorySize = 88;
    private const int HashOffset = DirectorySize + IdentifierSize;
    private const int IdentifierSize = 6;

    private static ReadOnlySpan<byte> Identifier => "a.out\0"u8;

    /// <summary>Bytes of the signature of a file's first <paramref name="codeSize"/> bytes.</summary>
    public static long Size(long codeSize) => SuperBlobSize + HashOffset + (PageCount(codeSize) * Sha256.DigestSize);

    /// <summary>Signs everything in front of the signature, which lies at the end of the output.</summary>
    /// <param name="output">The output, complete but for the signature.</param>
    /// <param name="workers">Threads.</param>
    /// <param name="codeSize">Where the signature begins.</param>
    /// <param name="textSize">Bytes of the text segment, which begins with the file.</param>
    public static void Write(OutputFile output, Workers workers, long codeSize, long textSize)
    {
        output.Write(codeSize, BuildDirectory(codeSize, 0, textSize, isMain: true));
        const int PieceSize = PagesPerPiece * PageSize;
        long hashes = codeSize + SuperBlobSize + HashOffset;
        workers.For((int)((codeSize + PieceSize - 1) / PieceSize), piece =>
        {
            long offset = (long)piece * PieceSize;
            int length = (int)Math.Min(PieceSize, codeSize - offset);
            Span<byte> digests = stackalloc byte[PagesPerPiece * Sha256.DigestSize];
            digests = digests[..((int)PageCount(length) * Sha256.DigestSize)];
            using (OutputLease lease = output.LeaseRead(offset, length))
                Sha256Lanes.HashPieces(lease.ReadOnlySpan, PageSize, digests);
            output.Write(hashes + ((long)piece * PagesPerPiece * Sha256.DigestSize), digests);
        });
    }

    /// <summary>Makes the signature of a file that another program has made; nothing is written.</summary>
    /// <param name="image">The file.</param>
    /// <param name="workers">Threads.</param>
    /// <param name="codeSize">How much of it is signed.</param>
    /// <param name="textOffset">Where the text segment begins in the file.</param>
    /// <param name="textSize">Bytes of the text segment.</param>
    /// <param name="isMain">Whether it is a program, and no library.</param>
    /// <exception cref="MachOException">The file is shorter than that.</exception>
    public static byte[] Make(MachOImage image, Workers workers, long codeSize, long textOffset, long textSize, bool isMain)
    {
        const int PieceSize = PagesPerPiece * PageSize;
        byte[] signature = new byte[Size(codeSize)];
        BuildDirectory(codeSize, textOffset, textSize, isMain).CopyTo(signature, 0);
        workers.For((int)((codeSize + PieceSize - 1) / PieceSize), piece =>
        {
            long offset = (long)piece * PieceSize;
            int length = (int)Math.Min(PieceSize, codeSize - offset);
            using NativeArray<byte> content = new(length);
            image.ReadFully(content.AsSpan(), offset);
            int at = SuperBlobSize + HashOffset + (piece * PagesPerPiece * Sha256.DigestSize);
            Sha256Lanes.HashPieces(content.AsSpan(), PageSize, signature.AsSpan(at, (int)PageCount(length) * Sha256.DigestSize));
        });
        return signature;
    }

    private static long PageCount(long size) => (size + PageSize - 1) / PageSize;

    private static byte[] BuildDirectory(long codeSize, long textOffset, long textSize, bool isMain)
    {
        const uint EmbeddedSignature = 0xfade0cc0;
        const uint CodeDirectory = 0xfade0c02;
        const uint Version = 0x20400;
        const uint AdHocLinkerSigned = 0x20002;
        const byte HashTypeSha256 = 2;
        const ulong MainBinary = 1;

        byte[] bytes = new byte[SuperBlobSize + HashOffset];
        uint size = (uint)Size(codeSize);
        int at = 0;
        Put(EmbeddedSignature);
        Put(size);
        Put(1);
        // The one blob: slot 0 is the code directory's.
        Put(0);
        Put(SuperBlobSize);

        Put(CodeDirectory);
        Put(size - SuperBlobSize);
        Put(Version);
        Put(AdHocLinkerSigned);
        Put(HashOffset);
        Put(DirectorySize);
        Put(0);
        Put((uint)PageCount(codeSize));
        Put((uint)codeSize);
        bytes[at++] = Sha256.DigestSize;
        bytes[at++] = HashTypeSha256;
        at++;
        bytes[at++] = PageSizeLog;
        // Spare; scatter offset; team offset; spare; code limit in 64 bits.
        at += 4 + 4 + 4 + 4 + 8;
        Put64((ulong)textOffset);
        Put64((ulong)textSize);
        Put64(isMain ? MainBinary : 0);
        Identifier.CopyTo(bytes.AsSpan(at));
        return bytes;

        void Put(uint v)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(at), v);
            at += 4;
        }

        void Put64(ulong v)
        {
            BinaryPrimitives.WriteUInt64BigEndian(bytes.AsSpan(at), v);
            at += 8;
        }
    }
}
