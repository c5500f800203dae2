using System.Diagnostics;
using System.Globalization;
using AotLinker.Mapping;

namespace AotLinker.Tests.Mapping;

public sealed unsafe class InputFileTests : IDisposable
{
    private const int Large = 100_000;

    private readonly Scratch _scratch = new();
    private readonly MemoryAccount _account = new();
    private readonly InputStore _store;

    public InputFileTests() => _store = new InputStore(_account);

    public void Dispose()
    {
        _store.Dispose();
        _scratch.Dispose();
    }

    [Fact]
    public void A_large_file_is_mapped_and_its_content_read_in_place()
    {
        using InputFile file = InputFile.Open(_store, _scratch.File("a", Large));

        Assert.True(file.IsMapped);
        Assert.Equal(Large, file.Length);
        Assert.True(file.Span(0, Large).SequenceEqual(Scratch.Pattern(Large)));
        Assert.True(file.Base + 5 == AddressOf(file.Span(5, 1)));
        Assert.Equal((1, (long)Large, 0, 0L), (_account.InputFilesMapped, _account.InputBytesMapped, _account.InputFilesRead, _account.InputBytesRead));
    }

    [LinuxFact]
    public void The_kernel_shows_the_map_as_readable_only_and_the_descriptor_closed()
    {
        string path = _scratch.File("a", Large);
        using (InputFile.Open(_store, path))
        {
            Assert.Equal("r--s", MapOf(path).Split(' ')[1]);
            Assert.DoesNotContain(path, OpenFiles());
        }

        Assert.DoesNotContain(File.ReadAllLines("/proc/self/maps"), l => l.Contains(path, StringComparison.Ordinal));
    }

    [LinuxFact]
    public void A_stray_write_is_a_fault_and_the_file_stays_as_it_is()
    {
        string path = _scratch.File("a", Large);
        Driver.Result result = Driver.Run("stray-write", path);
        Assert.NotEqual(0, result.ExitCode);
        Assert.DoesNotContain("written", result.Output, StringComparison.Ordinal);
        Assert.Equal(Scratch.Pattern(Large), File.ReadAllBytes(path));
    }

    [Fact]
    public void A_small_file_is_read()
    {
        using InputFile file = InputFile.Open(_store, _scratch.File("a", InputStore.SmallestMappedLength - 1));
        Assert.False(file.IsMapped);
        Assert.True(file.Span(0, (int)file.Length).SequenceEqual(Scratch.Pattern((int)file.Length)));
        Assert.Equal(file.Length, _account.InputBytesRead);
        Assert.Equal(0, _account.InputBytesMapped);
    }

    [Fact]
    public void An_empty_file_has_an_empty_span()
    {
        using InputFile file = InputFile.Open(_store, _scratch.File("a", 0));
        Assert.Equal(0, file.Length);
        Assert.True(file.Span(0, 0).IsEmpty);
        Assert.Throws<LinkException>(() => file.Span(0, 1).Length);
    }

    [LinuxFact]
    public void After_freezing_what_was_read_is_read_only_memory_too()
    {
        using InputFile file = InputFile.Open(_store, _scratch.File("a", 100));
        Assert.Equal("rw-p", MapAt(file.Base));
        _store.Freeze();
        Assert.Equal("r--p", MapAt(file.Base));
        Assert.True(file.Span(0, 100).SequenceEqual(Scratch.Pattern(100)));

        using InputFile later = InputFile.Open(_store, _scratch.File("b", 200));
        Assert.True(later.Span(0, 200).SequenceEqual(Scratch.Pattern(200)));
    }

    [Fact]
    public void Past_the_number_of_maps_files_are_read()
    {
        using var store = new InputStore(_account, mapLimit: 2);
        string path = _scratch.File("a", Large);
        using InputFile first = InputFile.Open(store, path);
        InputFile second = InputFile.Open(store, path);
        using InputFile third = InputFile.Open(store, path);
        Assert.Equal((true, true, false), (first.IsMapped, second.IsMapped, third.IsMapped));
        Assert.True(third.Span(0, Large).SequenceEqual(Scratch.Pattern(Large)));

        second.Dispose();
        using InputFile fourth = InputFile.Open(store, path);
        Assert.True(fourth.IsMapped);
    }

    [LinuxFact]
    public void More_than_30000_inputs_open()
    {
        string path = _scratch.File("a", InputStore.SmallestMappedLength);
        byte[] expected = Scratch.Pattern(InputStore.SmallestMappedLength);
        var files = new InputFile[30_500];
        for (int i = 0; i < files.Length; i++)
            files[i] = InputFile.Open(_store, path);
        Assert.Equal(HostSystem.Current.InputMapLimit, files.Count(f => f.IsMapped));
        Assert.True(files[^1].Span(0, expected.Length).SequenceEqual(expected));
        Assert.False(files[^1].IsMapped);
        foreach (InputFile file in files)
            file.Dispose();
    }

    [LinuxFact]
    public void A_file_that_can_not_be_mapped_is_read()
    {
        using var store = new InputStore(_account, host: new NoMaps());
        using InputFile file = InputFile.Open(store, _scratch.File("a", 3 << 20));
        Assert.False(file.IsMapped);
        Assert.True(file.Span(0, 3 << 20).SequenceEqual(Scratch.Pattern(3 << 20)));
    }

    [LinuxFact]
    public void A_pipe_and_a_file_without_a_length_are_read_to_their_end()
    {
        Driver.Result made = Driver.Shell($"mkfifo '{_scratch["pipe"]}'");
        Assert.Equal(0, made.ExitCode);
        byte[] sent = Scratch.Pattern(3_000_000);
        Task writer = Task.Run(() => File.WriteAllBytes(_scratch["pipe"], sent));
        using InputFile pipe = InputFile.Open(_store, _scratch["pipe"]);
        writer.Wait();
        Assert.Equal(sent.Length, pipe.Length);
        Assert.True(pipe.Span(0, sent.Length).SequenceEqual(sent));

        using InputFile proc = InputFile.Open(_store, "/proc/self/cmdline");
        Assert.Equal(File.ReadAllBytes("/proc/self/cmdline"), proc.Span(0, (int)proc.Length).ToArray());
    }

    [Fact]
    public void Bytes_past_2_GiB_are_reached()
    {
        const long End = (2L << 30) + 123_456;
        using (FileStream stream = File.Create(_scratch["big"]))
        {
            stream.Position = End - 4;
            stream.Write("tail"u8);
        }

        using InputFile file = InputFile.Open(_store, _scratch["big"]);
        Assert.Equal(End, file.Length);
        Assert.True(file.Span(End - 4, 4).SequenceEqual("tail"u8));
        Assert.Throws<LinkException>(() => file.Span(End - 3, 4).Length);
    }

    [Theory]
    [InlineData(0, Large + 1)]
    [InlineData(Large, 1)]
    [InlineData(-1, 1)]
    [InlineData(long.MaxValue, 1)]
    [InlineData(0, -1)]
    public void Reading_past_the_end_names_the_file(long offset, int length)
    {
        string path = _scratch.File("a", Large);
        using InputFile file = InputFile.Open(_store, path);
        LinkException e = Assert.Throws<LinkException>(() => file.Span(offset, length).Length);
        Assert.StartsWith(path + ": truncated: ", e.Message, StringComparison.Ordinal);
    }

    [LinuxFact]
    public void Errors_read_as_in_Go()
    {
        string missing = _scratch["missing"];
        Assert.Equal($"open {missing}: no such file or directory", Assert.Throws<LinkException>(() => InputFile.Open(_store, missing)).Message);
        Assert.Equal($"open {_scratch.File("f", 1)}/x: not a directory", Assert.Throws<LinkException>(() => InputFile.Open(_store, _scratch["f"] + "/x")).Message);
        Assert.Equal($"read {_scratch.Root}: is a directory", Assert.Throws<LinkException>(() => InputFile.Open(_store, _scratch.Root)).Message);
        Assert.Equal("open a\0b: invalid argument", Assert.Throws<LinkException>(() => InputFile.Open(_store, "a\0b")).Message);

        Assert.False(_store.TryOpen(missing, out _, out string? error));
        Assert.Equal($"open {missing}: no such file or directory", error);
    }

    [LinuxFact]
    public void A_path_that_is_not_UTF8_opens_by_bytes_and_on_the_command_line()
    {
        Assert.Equal(0, Driver.Shell($"cd '{_scratch.Root}' && n=$(printf 'caf\\351\\200') && head -c 20000 /dev/zero >\"$n\"").ExitCode);
        byte[] name = [.. System.Text.Encoding.UTF8.GetBytes(_scratch.Root), .. "/caf"u8, 0xE9, 0x80];
        using (InputFile file = InputFile.Open(name))
        {
            Assert.Equal(20_000, file.Length);
            Assert.Equal(name, HostPath.Encode(file.Path));
        }

        Driver.Result result = Driver.Shell($"cd '{_scratch.Root}' && {{0}} sum \"$(printf 'caf\\351\\200')\"");
        Assert.StartsWith("0 of 20000", result.Output, StringComparison.Ordinal);

        Driver.Result written = Driver.Shell($"cd '{_scratch.Root}' && {{0}} write \"$(printf 'out\\377')\" 5000 && wc -c <\"$(printf 'out\\377')\"");
        Assert.EndsWith("5000\n", written.Output, StringComparison.Ordinal);
        Assert.Equal(0, Driver.Shell($"rm '{_scratch.Root}'/*").ExitCode); // .NET can't name them
    }

    [LinuxFact]
    public void Advice_drops_whole_pages_and_the_content_comes_back()
    {
        string path = _scratch.File("a", 1 << 20);
        using InputFile file = InputFile.Open(_store, path);
        file.Advise(0, file.Length, MapAdvice.WillNeed);
        file.Advise(0, file.Length, MapAdvice.Sequential);
        Assert.True(file.Span(0, 1 << 20).SequenceEqual(Scratch.Pattern(1 << 20)));
        Assert.Equal(1024, ResidentKilobytes(path));

        file.Advise(100, (1 << 20) - 200, MapAdvice.DontNeed);
        Assert.Equal(8, ResidentKilobytes(path));
        Assert.True(file.Span(0, 1 << 20).SequenceEqual(Scratch.Pattern(1 << 20)));
        file.Advise(-5, long.MaxValue, MapAdvice.Random);
        file.Advise(1 << 20, 1, MapAdvice.DontNeed);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(70_000)]
    [InlineData(Large - 1)]
    [InlineData(Large)]
    [InlineData(long.MaxValue)]
    [InlineData(-7)]
    public void What_nobody_needs_of_a_file_is_not_mapped(long needed)
    {
        using InputFile file = InputFile.Open(_store, _scratch.File("a", Large), head => head.Length == 128 ? needed : throw new InvalidOperationException());
        int first = (int)(Math.Clamp(needed, 0, Large - 1) & -HostSystem.Current.MapGranularity);

        Assert.True(file.IsMapped);
        Assert.Equal((long)Large, file.Length);
        Assert.Equal(first, file.FirstMapped);
        Assert.Equal((long)Large - first, _account.InputBytesMapped);
        Assert.Equal(Scratch.Pattern(Large)[first..], file.Span(first, Large - first).ToArray());
        Assert.Equal(Scratch.Pattern(Large)[..128], file.Head.ToArray());
        if (first > 0)
            Assert.Throws<ArgumentOutOfRangeException>(() => { _ = file.Span(first - 1, 2); });
        file.Advise(0, Large, MapAdvice.Present);
        file.Advise(0, Large, MapAdvice.DontNeed);
        Assert.Equal(Scratch.Pattern(Large)[^1], file.Span(Large - 1, 1)[0]);
    }

    [Fact]
    public void A_small_file_is_read_whole_whatever_is_needed()
    {
        using InputFile file = InputFile.Open(_store, _scratch.File("a", 5000), _ => 4999);
        Assert.Equal(0, file.FirstMapped);
        Assert.Equal(Scratch.Pattern(5000), file.Span(0, 5000).ToArray());
    }

    [Fact]
    public void The_head_is_what_a_file_begins_with_mapped_or_read()
    {
        foreach (int length in (int[])[0, 5, 127, 128, 1000, Large])
        {
            using InputFile file = InputFile.Open(_store, _scratch.File("a", length));
            Assert.Equal(Scratch.Pattern(length)[..Math.Min(length, 128)], file.Head.ToArray());
        }
    }

    [LinuxFact]
    public void Pages_of_all_maps_are_made_present_and_leave_and_their_content_comes_back()
    {
        const int Length = 15_000_001;
        using var store = new InputStore(_account, host: new Asking());
        string[] paths = [.. Enumerable.Range(0, 6).Select(i => _scratch.File("f" + i, Length))];
        InputFile[] files = [.. paths.Select(path => InputFile.Open(store, path))];
        files[2].Dispose();
        files = [.. files.Where((_, i) => i != 2)];
        byte[] pattern = Scratch.Pattern(Length);
        Assert.Equal(0, ResidentKilobytes(paths[0]));
        store.MakePresent(new Workers(3));
        foreach (InputFile file in files)
        {
            // Kernels before 5.14 know no such request.
            Assert.True(ResidentKilobytes(file.Path) > Length / 1024 || Environment.OSVersion.Version < new Version(5, 14));
            Assert.True(file.Span(0, Length).SequenceEqual(pattern));
        }
        Assert.True(ResidentKilobytes(paths[0]) > Length / 1024);
        store.ReleasePages(new Workers(3));
        foreach (InputFile file in files)
            Assert.Equal(0, ResidentKilobytes(file.Path));
        foreach (InputFile file in files)
        {
            Assert.True(file.Span(0, Length).SequenceEqual(pattern));
            file.Dispose();
        }
    }

    [LinuxFact]
    public void A_change_under_the_map_is_seen_and_a_replaced_or_touched_file_is_not_one()
    {
        string path = _scratch.File("a", Large);
        using InputFile same = InputFile.Open(_store, path);
        Assert.False(same.ChangedSinceOpen());

        // The go command does this to its build cache: both times set to the same instant.
        DateTime now = DateTime.UtcNow.AddMinutes(1);
        File.SetLastAccessTimeUtc(path, now);
        File.SetLastWriteTimeUtc(path, now);
        Assert.False(same.ChangedSinceOpen());

        using (FileStream stream = File.OpenWrite(path))
            stream.Write([1, 2, 3]);
        Assert.True(same.ChangedSinceOpen());

        using InputFile longer = InputFile.Open(_store, path);
        File.AppendAllText(path, "more");
        Assert.True(longer.ChangedSinceOpen());

        using InputFile replaced = InputFile.Open(_store, path);
        File.WriteAllText(_scratch["b"], "another file");
        File.Move(_scratch["b"], path, overwrite: true);
        Assert.False(replaced.ChangedSinceOpen());
    }

    [LinuxFact]
    public void Many_threads_open_small_and_large_files_at_once()
    {
        string small = _scratch.File("s", 1000);
        string large = _scratch.File("l", Large);
        Parallel.For(0, 400, i =>
        {
            string path = i % 2 == 0 ? small : large;
            int length = i % 2 == 0 ? 1000 : Large;
            using InputFile file = InputFile.Open(_store, path);
            Assert.True(file.Span(0, length).SequenceEqual(Scratch.Pattern(length)));
        });
        Assert.Equal((200, 200), (_account.InputFilesMapped, _account.InputFilesRead));
    }

    [LinuxFact]
    public void An_input_truncated_while_it_is_mapped_ends_the_process_with_its_name()
    {
        string path = _scratch.File("input.a", 1 << 20);
        using Process process = Driver.Start(["sum-late", path]);
        Driver.AwaitReady(process);
        using (FileStream stream = File.OpenWrite(path))
            stream.SetLength(5000);
        Driver.Result result = Driver.Finish(process);
        if (Driver.HasGuard)
        {
            Assert.Equal($"link: {path}: truncated while it was being read, or an input/output error\n", result.Error);
            Assert.Equal(2, result.ExitCode);
        }
        else
        {
            Assert.NotEqual(0, result.ExitCode);
        }

        Assert.DoesNotContain(" of ", result.Output, StringComparison.Ordinal);
    }

    [LinuxFact]
    public void With_maps_watched_a_null_dereference_is_still_an_exception()
    {
        Driver.Result result = Driver.Run("null", _scratch.File("a", Large));
        Assert.Equal((0, "caught\n"), (result.ExitCode, result.Output));
    }

    internal static string MapOf(string path) =>
        Assert.Single(File.ReadAllLines("/proc/self/maps"), l => l.EndsWith(" " + path, StringComparison.Ordinal));

    internal static string MapAt(byte* address)
    {
        foreach (string line in File.ReadAllLines("/proc/self/maps"))
        {
            string[] range = line.Split(' ')[0].Split('-');
            ulong from = ulong.Parse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            ulong to = ulong.Parse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if ((ulong)address >= from && (ulong)address < to)
                return line.Split(' ')[1];
        }

        return "unmapped";
    }

    private static byte* AddressOf(ReadOnlySpan<byte> span)
    {
        fixed (byte* p = span)
            return p;
    }

    private static List<string> OpenFiles()
    {
        var files = new List<string>();
        foreach (string link in Directory.GetFiles("/proc/self/fd"))
        {
            if (new FileInfo(link).LinkTarget is { } target)
                files.Add(target);
        }

        return files;
    }

    internal static long ResidentKilobytes(string path)
    {
        string[] lines = File.ReadAllLines("/proc/self/smaps");
        int at = Array.FindIndex(lines, l => l.EndsWith(" " + path, StringComparison.Ordinal));
        string rss = lines.Skip(at).First(l => l.StartsWith("Rss:", StringComparison.Ordinal));
        return long.Parse(rss.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }

    private sealed class NoMaps : LinuxHost
    {
        public override HostError MapInput(HostFile file, long offset, long length, out byte* map)
        {
            map = null;
            return new HostError(19); // ENODEV
        }
    }

    /// <summary>Where it can't be told what a fault brings, so that nothing is left to faults.</summary>
    private sealed class Asking : LinuxHost
    {
        public override long MappedAroundFault => PageSize;
    }
}
