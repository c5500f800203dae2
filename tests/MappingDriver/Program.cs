using System.Globalization;
using System.Runtime.InteropServices;
using AotLinker.Mapping;

namespace AotLinker.MappingDriver;

/// <summary>
/// The mapping layer as a process of its own, for tests of what only a process shows: faults, signals, limits, the umask.
/// Prints what it did; errors end it as they end a link. "ready" on stdout means that it waits for a line on stdin.
/// </summary>
internal static unsafe partial class Program
{
    private const int RlimitAddressSpace = 9;
    private const int RlimitFileSize = 1;

    private static int Main(string[] args)
    {
        args = HostPath.Arguments(args);
        try
        {
            switch (args)
            {
                case ["guard"]:
                    Console.WriteLine(FaultGuard.IsActive ? "active" : "inactive");
                    return 0;
                case ["write", string path, string length, .. string[] switches]:
                    Write(path, long.Parse(length, CultureInfo.InvariantCulture), switches);
                    return 0;
                case ["sum", string path]:
                    Sum(path, wait: false);
                    return 0;
                case ["sum-late", string path]:
                    Sum(path, wait: true);
                    return 0;
                case ["stray-write", string path]:
                    *InputFile.Open(path).Base = 1;
                    Console.WriteLine("written");
                    return 0;
                case ["stray-write-sealed", string path]:
                    using (OutputFile output = OutputFile.Create(path, 4096, OutputOptions.Default))
                    {
                        output.Seal();
                        *output.Base = 1;
                    }

                    Console.WriteLine("written");
                    return 0;
                case ["null", string path]:
                    return NullReference(path);
                default:
                    Console.Error.WriteLine("usage: mapping-driver guard | write | sum | sum-late | stray-write | stray-write-sealed | null");
                    return 64;
            }
        }
        catch (LinkException e)
        {
            Console.Error.WriteLine("link: " + e.Message);
            return 2;
        }
    }

    /// <summary>
    /// Writes bytes that follow from their offset alone, from several threads, in blocks out of order, then patches the
    /// first four bytes.
    /// </summary>
    private static void Write(string path, long length, string[] switches)
    {
        const int Block = 1 << 20;
        var account = new MemoryAccount();
        bool wait = switches.Contains("--wait");
        bool sparse = switches.Contains("--no-room-check");
        var options = new OutputOptions
        {
            Account = account,
            ForceBuffered = switches.Contains("--buffered"),
            ForceNamed = switches.Contains("--named"),
            Host = sparse ? new BlindHost() : HostSystem.Current,
        };
        using InputFile? keepMapped = switches.FirstOrDefault(s => s.StartsWith("--map=", StringComparison.Ordinal)) is { } input
            ? InputFile.Open(input[6..])
            : null;
        using OutputFile output = OutputFile.Open(path, options);
        if (switches.Contains("--small-address-space"))
            Limit(RlimitAddressSpace, (ulong)VirtualSize() + (128UL << 20));
        if (switches.Contains("--small-file-size"))
            Limit(RlimitFileSize, 1 << 20);
        output.Resize(length);
        int blocks = (int)((length + Block - 1) / Block);
        int half = blocks / 2;
        for (int round = 0; round < 2; round++)
        {
            (int from, int to) = round == 0 ? (half, blocks) : (0, half);
            Parallel.For(from, to, new ParallelOptions { MaxDegreeOfParallelism = 4 }, i =>
            {
                long offset = (long)i * Block;
                using OutputLease lease = output.Lease(offset, (int)Math.Min(Block, length - offset));
                Fill(lease.Span, offset);
            });
            if (round == 0 && wait)
                WaitForLine();
            if (round == 0 && keepMapped is not null)
                Console.Error.WriteLine(keepMapped.Span(keepMapped.Length - 1, 1)[0]);
        }

        using (OutputLease patch = output.LeasePatch(0, 4))
            patch.Span.Reverse();
        output.Seal();
        if (switches.Contains("--abandon"))
            Environment.Exit(3);
        output.Commit();
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"mapped={account.OutputBytesMapped} written={account.OutputBytesWritten} native-peak={account.NativePeak} anon-kb={Status("RssAnon")}"));
    }

    private static void Fill(Span<byte> span, long offset)
    {
        for (int i = 0; i < span.Length; i++)
            span[i] = (byte)(((offset + i) * 31) >> 5);
    }

    private static void Sum(string path, bool wait)
    {
        using InputFile file = InputFile.Open(path);
        if (wait)
            WaitForLine();
        long sum = 0;
        for (long at = 0; at < file.Length;)
        {
            ReadOnlySpan<byte> part = file.Span(at, (int)Math.Min(1 << 20, file.Length - at));
            foreach (byte b in part)
                sum += b;
            at += part.Length;
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{sum} of {file.Length}, mapped={file.IsMapped}, changed={file.ChangedSinceOpen()}"));
    }

    /// <summary>A null dereference is still an exception while a map is watched.</summary>
    private static int NullReference(string path)
    {
        using InputFile file = InputFile.Open(path);
        string? nothing = file.Length < 0 ? "" : null;
        try
        {
            return nothing!.Length;
        }
        catch (NullReferenceException)
        {
            Console.WriteLine("caught");
            return 0;
        }
    }

    private static void WaitForLine()
    {
        Console.WriteLine("ready");
        Console.ReadLine();
    }

    private static long VirtualSize() => Status("VmSize") * 1024;

    private static long Status(string field) => long.Parse(
        File.ReadLines("/proc/self/status").First(l => l.StartsWith(field + ":", StringComparison.Ordinal))
            .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);

    private static void Limit(int resource, ulong bytes)
    {
        ulong* pair = stackalloc ulong[2];
        pair[0] = bytes;
        pair[1] = bytes;
        if (setrlimit(resource, pair) != 0)
            throw new InvalidOperationException("setrlimit failed");
    }

    [LibraryImport("libc")]
    private static partial int setrlimit(int resource, ulong* limit);

    /// <summary>A host that reserves no space and sees no end of it, so that a full disk is met while writing.</summary>
    private sealed class BlindHost : LinuxHost
    {
        public override HostError Preallocate(HostFile file, long offset, long length) => new(95); // EOPNOTSUPP

        public override HostError FreeSpace(HostFile file, out long free, out bool inMemory)
        {
            free = long.MaxValue;
            inMemory = false;
            return HostError.None;
        }
    }
}
