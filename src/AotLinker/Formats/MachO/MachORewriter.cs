using System.Buffers.Binary;
using Microsoft.Win32.SafeHandles;

namespace AotLinker.Formats.MachO;

/// <summary>Smaller changes to a program that an external linker has made: its UUID and its signature (machoRewriteUuid, machoCodeSign).</summary>
internal static class MachORewriter
{
    private const int PieceSize = 1 << 20;
    private const int UuidPlace = 8;
    private const int UuidSize = 16;

    /// <summary>Copies bytes from one file to another.</summary>
    /// <exception cref="MachOException">The first is shorter than that.</exception>
    public static void Copy(MachOImage from, long offset, SafeFileHandle to, long toOffset, long length)
    {
        byte[] piece = new byte[Math.Min(PieceSize, Math.Max(length, 1))];
        for (long done = 0; done < length;)
        {
            Span<byte> part = piece.AsSpan(0, (int)Math.Min(piece.Length, length - done));
            from.ReadFully(part, offset + done);
            RandomAccess.Write(to, part, toOffset + done);
            done += part.Length;
        }
    }

    /// <summary>Copies a program with another UUID. The external linker's depends on where and when the objects were made.</summary>
    /// <param name="image">The program. One without a UUID gets none.</param>
    /// <param name="to">The copy.</param>
    /// <param name="uuid">The UUID, or the beginning of one whose other bytes are 0.</param>
    public static void CopyWithUuid(MachOImage image, FileStream to, byte[] uuid)
    {
        Copy(image, 0, to.SafeFileHandle, 0, image.Length);
        if (image.Commands.FirstOrDefault(command => command.Kind == MachOCommand.Uuid) is { } command)
        {
            SetUuid(command, uuid);
            RandomAccess.Write(to.SafeFileHandle, command.Data, command.Offset);
        }
    }

    /// <summary>Puts a UUID in its load command.</summary>
    public static void SetUuid(MachOImage.LoadCommand command, byte[] uuid)
    {
        Span<byte> field = command.Data.AsSpan(UuidPlace, UuidSize);
        field.Clear();
        uuid.AsSpan(0, Math.Min(uuid.Length, UuidSize)).CopyTo(field);
    }

    /// <summary>Signs a program anew that has a signature, at its end; one without is left as it is.</summary>
    /// <param name="path">The program.</param>
    /// <param name="isMain">Whether it is a program, and no library.</param>
    /// <param name="workers">Threads.</param>
    /// <exception cref="MachOException">The program is damaged.</exception>
    /// <exception cref="IOException">It can't be read or written.</exception>
    public static void Sign(string path, bool isMain, Workers workers)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        using MachOImage image = MachOImage.Open(path);
        if (image.Commands.LastOrDefault(command => command.Kind == MachOCommand.CodeSignature) is not { } command || command.U32(8) == 0)
            return;
        long start = command.U32(8), size = command.U32(12);
        if (start + size != image.Length)
            throw new MachOException("unexpected content after code signature");
        MachOImage.ImageSegment text = image.Segments.LastOrDefault(segment => segment.Name == "__TEXT") ?? throw image.Error("missing __TEXT segment");
        long ours = CodeSignature.Size(start);
        if (ours != size)
        {
            MachOImage.ImageSegment last = image.Segments.LastOrDefault(segment => segment.Name == "__LINKEDIT")
                ?? throw image.Error("missing __LINKEDIT segment");
            Span<byte> field = stackalloc byte[8];
            BinaryPrimitives.WriteUInt32LittleEndian(field, (uint)ours);
            RandomAccess.Write(file.SafeFileHandle, field[..4], command.Offset + 12);
            // In memory and in the file.
            BinaryPrimitives.WriteInt64LittleEndian(field, start + ours - (long)last.Offset);
            RandomAccess.Write(file.SafeFileHandle, field, last.Command.Offset + 32);
            RandomAccess.Write(file.SafeFileHandle, field, last.Command.Offset + 48);
        }
        byte[] signature = CodeSignature.Make(image, workers, start, (long)text.Offset, (long)text.FileSize, isMain);
        RandomAccess.Write(file.SafeFileHandle, signature, start);
        file.SetLength(start + ours);
    }
}
