using System.Buffers.Text;
using System.Runtime.CompilerServices;
using static Tmds.Linux.LibC;

namespace AotLinker.Mapping;

/// <summary>What the kernel counts of this process: /proc/self/status and /proc/self/smaps (proc(5)).</summary>
internal unsafe partial class LinuxHost
{
    // What the youngest generation grows to before it is collected. More in large pages took memory and saved no time.
    private const nuint MostLargeHeap = 4 << 20;

    // Kept open: it is read some hundred times a second.
    private HostFile _schedule = HostFile.None;

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

    /// <summary>Reads /proc/self/schedstat, which tells of the first thread: nanoseconds run, nanoseconds waited, turns.</summary>
    public override bool TryReadSchedule(out TimeSpan running, out TimeSpan waiting)
    {
        const int Size = 64;
        const int NanosecondsPerTick = 100;
        (running, waiting) = (default, default);
        byte* buffer = stackalloc byte[Size];
        if (!_schedule.IsOpen && OpenInput("/proc/self/schedstat", out _schedule).IsError)
            return false;
        if (ReadAt(_schedule, 0, buffer, Size, out long length).IsError)
            return false;
        ReadOnlySpan<byte> text = new(buffer, (int)length);
        if (!Utf8Parser.TryParse(text, out long ran, out int digits)
            || digits == text.Length
            || !Utf8Parser.TryParse(text[(digits + 1)..], out long waited, out _))
        {
            return false;
        }
        running = new TimeSpan(ran / NanosecondsPerTick);
        waiting = new TimeSpan(waited / NanosecondsPerTick);
        return true;
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

    /// <summary>
    /// The collector reserves address space and makes it usable 64 KB at a time, less than a large page covers: what lies next is made
    /// usable here, all at once. The collector's own bookkeeping stays as it is, and what nobody touches costs no memory.
    /// </summary>
    public override void PreferLargeHeapPages()
    {
        object youngest = new();
        nuint at = Unsafe.As<object, nuint>(ref youngest);
        nuint large = (nuint)LargePageSize;
        if (large == 0 || !FindReserved(at, out nuint start, out nuint end))
            return;
        nuint from = at & ~(large - 1);
        nuint to = Math.Min(from + MostLargeHeap, end) & ~(large - 1);
        if (from < start || to <= from)
            return;
        byte* heap = (byte*)from;
        if (mprotect(heap, Size((long)(to - from)), PROT_READ | PROT_WRITE) != 0)
            return;
        // The collector keeps reserved space out of core dumps; maps that differ in that are not joined.
        _ = madvise(heap, Size((long)(to - from)), MADV_DODUMP);
        _ = madvise(heap, Size((long)(to - from)), MADV_HUGEPAGE);
        _ = madvise(heap, Size(LargePageSize), Collapse); // its first pages are in use
    }

    /// <summary>Where the map begins that an address lies in, and where the reserved space ends that follows it.</summary>
    private bool FindReserved(nuint at, out nuint start, out nuint end)
    {
        const int Size = 32 << 10;
        byte* buffer = stackalloc byte[Size];
        (start, end) = (0, 0);
        if (OpenInput("/proc/self/maps", out HostFile file).IsError)
            return false;
        int held = 0;
        while (held < Size && ReadNext(file, buffer + held, Size - held, out int read).IsNone && read > 0)
            held += read;
        _ = Close(file);
        ReadOnlySpan<byte> text = new(buffer, held);
        for (int length; (length = text.IndexOf((byte)'\n')) >= 0; text = text[(length + 1)..])
        {
            // "start-end mode offset device inode path"
            ReadOnlySpan<byte> line = text[..length];
            if (!Utf8Parser.TryParse(line, out ulong from, out int digits, 'x')
                || !Utf8Parser.TryParse(line[(digits + 1)..], out ulong to, out int more, 'x'))
            {
                return false;
            }
            ReadOnlySpan<byte> mode = line[(digits + more + 2)..];
            if (end != 0)
            {
                bool isReserved = from == end && mode.StartsWith("---p"u8) && !NamesFile(line);
                end = (nuint)to;
                return isReserved;
            }
            if (from <= at && at < to && mode.StartsWith("rw-p"u8))
                (start, end) = ((nuint)from, (nuint)to);
        }
        return false;
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
