using System.Buffers.Text;

namespace AotLinker.Mapping;

/// <summary>What the kernel counts of this process: /proc/self/status and /proc/self/smaps (proc(5)).</summary>
internal unsafe partial class LinuxHost
{
    public override ProcessMemory MeasureMemory()
    {
        byte* buffer = stackalloc byte[4096];
        if (OpenInput("/proc/self/status", out HostFile file).IsError)
            return new ProcessMemory();
        HostError error = ReadAt(file, 0, buffer, 4096, out long length);
        _ = Close(file);
        if (error.IsError)
            return new ProcessMemory();
        var status = new ReadOnlySpan<byte>(buffer, (int)length);
        return new ProcessMemory
        {
            Resident = Field(status, "\nVmRSS:"u8),
            PeakResident = Field(status, "\nVmHWM:"u8),
            Private = Field(status, "\nRssAnon:"u8),
            FileBacked = Field(status, "\nRssFile:"u8) + Math.Max(0, Field(status, "\nRssShmem:"u8)),
        };
    }

    /// <summary>
    /// Reads smaps in pieces, for a link with tens of thousands of maps: each has a line "start-end mode offset device inode path",
    /// then lines "Name: value kB".
    /// </summary>
    public override bool VisitMaps(MapVisitor visitor)
    {
        const int Size = 32 << 10;
        byte* buffer = stackalloc byte[Size];
        if (OpenInput("/proc/self/smaps", out HostFile file).IsError)
            return false;
        int held = 0;
        nuint start = 0;
        bool hasFile = false;
        bool any = false;
        HostError error;
        while ((error = ReadNext(file, buffer + held, Size - held, out int read)).IsNone && read > 0)
        {
            held += read;
            ReadOnlySpan<byte> text = new(buffer, held);
            for (int end; (end = text.IndexOf((byte)'\n')) >= 0; text = text[(end + 1)..])
            {
                ReadOnlySpan<byte> line = text[..end];
                if (line.StartsWith("Rss:"u8))
                {
                    visitor(new HostMap(start, Kilobytes(line[4..]), hasFile));
                    any = true;
                }
                else if (Utf8Parser.TryParse(line, out ulong address, out int digits, 'x') && digits < line.Length && line[digits] == '-')
                {
                    start = (nuint)address;
                    hasFile = NamesFile(line);
                }
            }

            text.CopyTo(new Span<byte>(buffer, Size));
            held = text.Length;
            if (held == Size)
                break; // no line of smaps is as long: a path has at most 4,096 bytes
        }

        _ = Close(file);
        return any && error.IsNone;
    }

    /// <summary>Whether the fifth field of a map's first line, the inode, is not 0.</summary>
    private static bool NamesFile(ReadOnlySpan<byte> line)
    {
        for (int field = 0; field < 4; field++)
            line = line[(line.IndexOf((byte)' ') + 1)..];
        return !line.StartsWith("0 "u8) && !line.SequenceEqual("0"u8);
    }

    private static long Field(ReadOnlySpan<byte> status, ReadOnlySpan<byte> name)
    {
        int at = status.IndexOf(name);
        return at < 0 ? ProcessMemory.Unknown : Kilobytes(status[(at + name.Length)..]);
    }

    private static long Kilobytes(ReadOnlySpan<byte> text)
    {
        text = text.TrimStart("\t "u8);
        return Utf8Parser.TryParse(text, out long value, out _) ? value * 1024 : ProcessMemory.Unknown;
    }
}
