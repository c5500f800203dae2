using System.Globalization;
using System.Text;
using System.Text.Json;
using AotLinker.Accounting;
using AotLinker.Cli;
using AotLinker.Cpu;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Tests.Mapping;

namespace AotLinker.Tests.Accounting;

/// <summary>Tests that measure the whole process run alone.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class ProcessMemoryCollection
{
    public const string Name = "memory of the process";
}

/// <summary>The account's figures against /proc/self/smaps, read here in another way, and its forms.</summary>
[Collection(ProcessMemoryCollection.Name)]
public sealed class AccountTests
{
    [Theory]
    [InlineData("text", false, null)]
    [InlineData("json", true, null)]
    [InlineData("json:/tmp/a:b", true, "/tmp/a:b")]
    [InlineData("text:x", false, "x")]
    public void What_the_switch_asks_for(string value, bool isJson, string? file) =>
        Assert.Equal(new AccountRequest(isJson, file), AccountRequest.Parse("AOTLINK_ACCOUNT", value));

    [Theory]
    [InlineData("1")]
    [InlineData("xml")]
    [InlineData("json:")]
    public void Other_values_are_refused(string value)
    {
        LinkException failure = Assert.Throws<LinkException>(() => AccountRequest.Parse("AOTLINK_ACCOUNT", value));
        Assert.StartsWith("AOTLINK_ACCOUNT must be text or json", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("0")]
    public void Off(string? value) => Assert.Null(AccountRequest.Parse("AOTLINK_ACCOUNT", value));

    [LinuxFact]
    public void The_systems_figures_are_those_of_smaps()
    {
        using NativeArray<byte> touched = new(64 << 20);
        touched.AsSpan().Fill(1);
        ProcessMemory measured = HostSystem.Current.MeasureMemory();
        Dictionary<MapKind, long> maps = ReadSmaps([]);

        // Other tests' threads allocate meanwhile, and the kernel's counters lag behind by some pages for each processor.
        const long Slack = 24 << 20;
        Assert.InRange(measured.Private - maps[MapKind.Anonymous], -Slack, Slack);
        Assert.InRange(measured.FileBacked - maps[MapKind.Program], -Slack, Slack);
        Assert.InRange(measured.Resident, measured.Private, measured.PeakResident + Slack);
        Assert.InRange(measured.Private, 64 << 20, long.MaxValue);
    }

    [LinuxFact]
    public void Maps_are_told_apart_by_what_they_are_for()
    {
        using Scratch scratch = new();
        var account = new MemoryAccount { Details = new AccountDetails() };
        using var store = new InputStore(account);
        using InputFile first = InputFile.Open(store, scratch.File("a", 3_000_000));
        using InputFile second = InputFile.Open(store, scratch.File("b", 9_000_000));
        using InputFile small = InputFile.Open(store, scratch.File("c", 100));
        using OutputFile output = OutputFile.Create(scratch["out"], 5_000_000, new OutputOptions { Account = account });
        long sum = Touch(first, 0, 3_000_000) + Touch(second, 1_000_000, 4_000_000);
        Assert.NotEqual(0, sum);
        for (int at = 0; at < 5_000_000; at += 1_000_000)
        {
            using OutputLease lease = output.Lease(at, 1_000_000);
            lease.Span.Fill(7);
        }

        long[] resident = new long[ByMapKind.Count];
        Assert.True(account.Details.TryReadResident(HostSystem.Current, resident));
        Dictionary<MapKind, long> maps = ReadSmaps(new()
        {
            [first.Path] = MapKind.Input,
            [second.Path] = MapKind.Input,
            [scratch.Root] = MapKind.Output,
        });
        Assert.Equal(maps[MapKind.Input], resident[(int)MapKind.Input]);
        Assert.Equal(maps[MapKind.Output], resident[(int)MapKind.Output]);
        Assert.InRange(resident[(int)MapKind.Input], 6_000_000, 12_100_000);
        Assert.InRange(resident[(int)MapKind.Output], 5_000_000, 5_100_000);
        Assert.Equal((2, 12_000_000L, 1, 100L), (account.InputFilesMapped, account.InputBytesMapped, account.FilesRead(ReadReason.Small), account.BytesRead(ReadReason.Small)));
        Assert.Equal(5_000_000, account.OutputBytesMapped);
        Assert.Equal(new AccountDetails.ReadFile(small.Path, 100, ReadReason.Small), Assert.Single(account.Details.Read()));
    }

    [LinuxFact]
    public void Why_a_file_was_read()
    {
        using Scratch scratch = new();
        string large = scratch.File("a", 100_000);
        Assert.Equal(ReadReason.SwitchedOff, Reason(0, large));
        Assert.Equal(ReadReason.NoLength, Reason(null, "/proc/self/status"));
        Assert.Equal(ReadReason.NoLength, Reason(null, scratch.File("e", 0)));
        Assert.Equal(ReadReason.Small, Reason(null, scratch.File("s", 1000)));
        Assert.Equal(ReadReason.MapLimit, Reason(1, large, large));

        static ReadReason Reason(int? limit, params string[] paths)
        {
            var account = new MemoryAccount { Details = new AccountDetails() };
            using var store = new InputStore(account, limit);
            InputFile[] files = [.. paths.Select(path => InputFile.Open(store, path))];
            Array.ForEach(files, file => file.Dispose());
            return Assert.Single(account.Details.Read()).Reason;
        }
    }

    [Fact]
    public unsafe void Native_memory_is_counted_and_given_back()
    {
        MemoryAccount account = MemoryAccount.Shared;
        account.TakeRecentNativePeak();
        long before = account.NativeBytes;
        byte* block = (byte*)NativeHeap.AllocZeroed(1 << 20, 100);
        Assert.Equal(0, (long)block % 16);
        Assert.Equal(0, block[50 << 20]);
        Assert.InRange(account.NativeBytes - before, 90 << 20, 110 << 20);
        NativeHeap.Free(block);
        Assert.InRange(account.NativeBytes - before, -(10 << 20), 10 << 20);
        Assert.InRange(account.TakeRecentNativePeak() - before, 90 << 20, 120 << 20);
        NativeHeap.Free(null);
    }

    [Fact]
    public unsafe void A_pass_shows_what_it_held_and_both_forms_show_the_pass()
    {
        var link = new LinkAccount(new AccountRequest(true, null));
        var phases = new Phases(BenchmarkMode.None, link);
        using (phases.Begin("idle"))
        {
            Thread.Sleep(5);
        }

        using (phases.Begin("busy"))
        {
            using NativeArray<byte> native = new(200 << 20);
            byte[] managed = new byte[50 << 20];
            native.AsSpan().Fill(1);
            managed.AsSpan().Fill(1);
            Thread.Sleep(20);
            GC.KeepAlive(managed);
        }

        link.Close(new SymbolTable(Releases.Release.Newest, TestTarget()));
        (PassRecord idle, PassRecord busy) = (link.Passes[0], link.Passes[1]);
        Assert.Equal(("idle", "busy"), (idle.Name, busy.Name));
        Assert.InRange(busy.Peak.Native, 200 << 20, long.MaxValue);
        Assert.InRange(busy.Peak.Heap, 50 << 20, long.MaxValue);
        Assert.InRange(busy.Counters.Allocated, 50 << 20, long.MaxValue);
        Assert.InRange(busy.End.Native, 0, busy.Peak.Native - (200 << 20) + (50 << 20));
        if (OperatingSystem.IsLinux())
        {
            Assert.InRange(busy.Peak.Private - idle.Peak.Private, 150 << 20, long.MaxValue);
            Assert.InRange(busy.Peak.Resident, busy.Peak.Private, link.Process.PeakResident + (24 << 20));
            Assert.InRange(busy.Resident!.Value.Of(MapKind.Anonymous), 1 << 20, long.MaxValue);
        }

        // A path that is not UTF-8 is no reason to fail.
        link.Account.CountReadInput(HostPath.Decode([(byte)'a', 0xff]), 1, ReadReason.Small);
        using JsonDocument json = JsonDocument.Parse(AccountJson.Write(link));
        JsonElement pass = json.RootElement.GetProperty("passes")[1];
        Assert.Equal("busy", pass.GetProperty("name").GetString());
        Assert.Equal(busy.Peak.Native, pass.GetProperty("peak").GetProperty("native").GetInt64());
        Assert.Equal(link.Account.NativePeak, json.RootElement.GetProperty("nativePeak").GetInt64());
        string[] lines = AccountText.Write(link).Split('\n');
        string row = Assert.Single(lines, line => line.StartsWith("busy ", StringComparison.Ordinal));
        Assert.Contains((busy.Peak.Native / 1e6).ToString("0.00", CultureInfo.InvariantCulture), row, StringComparison.Ordinal);
        Assert.Contains(lines, line => line.StartsWith("private copies ", StringComparison.Ordinal));
    }

    private static Target TestTarget() => new()
    {
        Goos = "linux",
        Goarch = "amd64",
        Cpu = new AotLinker.Cpu.Amd64(),
        HeadType = HeadType.Linux,
        BuildMode = BuildMode.Exe,
        LinkMode = LinkMode.Internal,
    };

    private static long Touch(InputFile file, long from, long to)
    {
        long sum = 0;
        for (long at = from; at < to; at += 1000)
            sum += file.Span(at, 1)[0];
        return sum;
    }

    /// <summary>Sums of Rss; a path that begins with a known one has that kind, the longest counting.</summary>
    private static Dictionary<MapKind, long> ReadSmaps(Dictionary<string, MapKind> known)
    {
        Dictionary<MapKind, long> sums = Enum.GetValues<MapKind>().ToDictionary(kind => kind, _ => 0L);
        MapKind kind = MapKind.Anonymous;
        foreach (string line in Encoding.Latin1.GetString(File.ReadAllBytes("/proc/self/smaps")).Split('\n'))
        {
            if (line.StartsWith("Rss:", StringComparison.Ordinal))
            {
                sums[kind] += 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
            }
            else if (line.Length > 0 && line.IndexOf('-') is > 0 and < 17 && !line.Contains("kB", StringComparison.Ordinal) && !line.Contains("VmFlags", StringComparison.Ordinal))
            {
                string[] fields = line.Split(' ', 6, StringSplitOptions.RemoveEmptyEntries);
                string path = fields.Length > 5 ? fields[5] : "";
                string? match = known.Keys.Where(name => path.StartsWith(name, StringComparison.Ordinal)).MaxBy(name => name.Length);
                kind = match is not null ? known[match] : fields[4] == "0" ? MapKind.Anonymous : MapKind.Program;
            }
        }

        return sums;
    }
}
