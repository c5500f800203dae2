using System.Diagnostics;
using System.Security.Cryptography;
using AotLinker.Mapping;

namespace AotLinker.Tests.Mapping;

/// <summary>Outputs as a user's shell sees them: modes, links, devices, limits, signals, full disks.</summary>
[System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
public sealed class OutputProcessTests : IDisposable
{
    private const string Megabytes = "20000003";

    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [LinuxTheory]
    [InlineData("022", "755")]
    [InlineData("077", "700")]
    [InlineData("002", "775")]
    [InlineData("000", "775")] // not 777: cmd/link asks for 0775
    public void The_mode_is_cmd_links(string umask, string mode)
    {
        foreach (string way in new[] { "", "--named", "--buffered" })
        {
            Driver.Result result = Driver.Shell($"umask {umask}; {{0}} write '{_scratch["out"]}' 1000 {way} >&2; stat -c %a '{_scratch["out"]}'");
            Assert.Equal(mode + "\n", result.Output);
        }
    }

    [LinuxFact]
    public void A_running_executable_is_replaced()
    {
        File.Copy("/bin/sleep", _scratch["out"]);
        using Process running = Process.Start(_scratch["out"], "60");
        try
        {
            Assert.Equal(0, Driver.Run("write", _scratch["out"], Megabytes).ExitCode);
            Assert.False(running.HasExited);
            Assert.Equal(int.Parse(Megabytes), new FileInfo(_scratch["out"]).Length);
        }
        finally
        {
            running.Kill();
            running.WaitForExit();
        }
    }

    [LinuxFact]
    public void A_link_is_followed_and_keeps_the_mode_of_its_file()
    {
        Directory.CreateDirectory(_scratch["d"]);
        File.WriteAllText(_scratch["d/real"], "old");
        File.SetUnixFileMode(_scratch["d/real"], UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.CreateSymbolicLink(_scratch["d/second"], "real");
        File.CreateSymbolicLink(_scratch["out"], "d/second");
        Assert.Equal(0, Driver.Run("write", _scratch["out"], "1000").ExitCode);
        Assert.Equal("d/second", new FileInfo(_scratch["out"]).LinkTarget);
        Assert.Equal(1000, new FileInfo(_scratch["d/real"]).Length);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_scratch["d/real"]));

        File.CreateSymbolicLink(_scratch["dangling"], "d/new");
        Assert.Equal(0, Driver.Run("write", _scratch["dangling"], "1000").ExitCode);
        Assert.Equal(1000, new FileInfo(_scratch["d/new"]).Length);

        // Broken off, the file behind the link stays as it was.
        Assert.Equal(3, Driver.Run("write", _scratch["out"], "2000", "--abandon").ExitCode);
        Assert.Equal(1000, new FileInfo(_scratch["d/real"]).Length);
        Assert.Equal(3, Directory.GetFiles(_scratch["d"]).Length);
    }

    [LinuxFact]
    public void Errors_read_as_cmd_links()
    {
        Directory.CreateDirectory(_scratch["d"]);
        foreach ((string path, string reason) in new[]
        {
            (_scratch["none/out"], "no such file or directory"),
            (_scratch["d"], "is a directory"),
            ("/proc/out", "no such file or directory"),
            (_scratch[new string('x', 300)], "file name too long"),
            (_scratch.File("f", 1) + "/out", "not a directory"),
            (_scratch["new/"], "is a directory"),
            ("", "no such file or directory"),
        })
        {
            Driver.Result result = Driver.Run("write", path, "1000");
            Assert.Equal((2, $"link: cannot create {path}: open {path}: {reason}\n"), (result.ExitCode, result.Error));
        }
    }

    [LinuxFact]
    public void In_a_folder_that_is_read_only_a_new_output_is_refused_and_a_writable_one_written()
    {
        string folder = Directory.CreateDirectory(_scratch["ro"]).FullName;
        File.WriteAllText(folder + "/there", "old content, longer than nothing");
        File.SetUnixFileMode(folder + "/there", (UnixFileMode)0b110_110_110);
        File.SetUnixFileMode(folder, (UnixFileMode)0b101_101_101);
        File.SetUnixFileMode(_scratch.Root, (UnixFileMode)0b111_101_101);
        string asUser = Environment.IsPrivilegedProcess ? "setpriv --reuid=65534 --regid=65534 --clear-groups " : "";

        // The driver may lie in a folder only root can enter.
        Assert.Equal(0, Driver.Shell($"cp -r '{Path.GetDirectoryName(Driver.Path)}' '{_scratch["bin"]}' && chmod -R a+rX '{_scratch["bin"]}'").ExitCode);
        string driver = $"{asUser}env DOTNET_EnableDiagnostics=0 HOME=/ '{_scratch["bin/mapping-driver"]}'";
        Driver.Result refused = Driver.Shell($"{driver} write '{folder}/new' 1000");
        Assert.Equal((2, $"link: cannot create {folder}/new: open {folder}/new: permission denied\n"), (refused.ExitCode, refused.Error));

        Driver.Result written = Driver.Shell($"{driver} write '{folder}/there' 1000");
        Assert.Equal((0, ""), (written.ExitCode, written.Error));
        Assert.Equal(1000, new FileInfo(folder + "/there").Length);

        Driver.Result broken = Driver.Shell($"{driver} write '{folder}/there' 5000 --abandon");
        Assert.Equal(3, broken.ExitCode);
        Assert.Equal(0, new FileInfo(folder + "/there").Length);
        File.SetUnixFileMode(folder, (UnixFileMode)0b111_101_101);
    }

    [LinuxFact]
    public void Pipes_devices_and_the_descriptors_of_the_shell_get_the_same_bytes()
    {
        Assert.Equal(0, Driver.Run("write", _scratch["file"], Megabytes).ExitCode);
        string expected = Hash(_scratch["file"]);
        string sum = "sha256sum | cut -d' ' -f1";

        Assert.Equal(expected, Driver.Shell($"{{ {{0}} write /dev/fd/3 {Megabytes} >&2; }} 3>&1 | {sum}").Output.Trim());
        Assert.Equal(expected, Driver.Shell($"mkfifo '{_scratch["p"]}'; {{0}} write '{_scratch["p"]}' {Megabytes} >&2 & cat '{_scratch["p"]}' | {sum}; wait").Output.Trim());
        Assert.Equal(expected, Driver.Shell($"{{0}} write /dev/fd/3 {Megabytes} 3>'{_scratch["r"]}' >&2; cat '{_scratch["r"]}' | {sum}").Output.Trim());
        Assert.Equal(expected, Driver.Shell($"TMPDIR=/nowhere; export TMPDIR; {{ {{0}} write /dev/fd/3 {Megabytes} >&2; }} 3>&1 | {sum}").Output.Trim());

        // The shell's own open file is written, not a new one under its name.
        Driver.Result appended = Driver.Shell($"{{ {{0}} write /dev/fd/3 1000 >&2; {{0}} write /proc/self/fd/3 1000 >&2; wc -c <&4; }} 3>'{_scratch["s"]}' 4<'{_scratch["s"]}'");
        Assert.Equal("1000\n", appended.Output);
        Driver.Result nothing = Driver.Run("write", "/dev/null", Megabytes);
        Assert.Equal((0, ""), (nothing.ExitCode, nothing.Error));
        Assert.Equal("character special file\n", Driver.Shell("stat -c %F /dev/null").Output);

        Driver.Result gone = Driver.Shell($"{{ {{0}} write /dev/fd/3 {Megabytes}; echo $? >&2; }} 3>&1 >/dev/null | head -c 10 >/dev/null");
        Assert.Equal("link: write /dev/fd/3: broken pipe\n2\n", gone.Error);
    }

    [LinuxFact]
    public void The_fallback_stays_within_its_budget_and_writes_the_same_bytes()
    {
        Driver.Result mapped = Driver.Run("write", _scratch["a"], "300000000");
        Driver.Result buffered = Driver.Run("write", _scratch["b"], "300000000", "--buffered");
        Assert.Equal(Hash(_scratch["a"]), Hash(_scratch["b"]));
        Assert.InRange(Figure(buffered.Output, "native-peak"), OutputFile.MaxLease, OutputFile.BufferBudget);
        Assert.InRange(Figure(buffered.Output, "anon-kb") - Figure(mapped.Output, "anon-kb"), -20_000, 64 << 10);
        Assert.Equal((300_000_000L, 0L), (Figure(mapped.Output, "mapped"), Figure(buffered.Output, "mapped")));
    }

    [LinuxFact]
    public void An_address_space_too_small_for_the_map_means_buffers()
    {
        Driver.Result limited = Driver.Run("write", _scratch["a"], "300000000", "--small-address-space");
        Assert.Equal((0, ""), (limited.ExitCode, limited.Error));
        Assert.Equal(0, Figure(limited.Output, "mapped"));
        Assert.Equal(0, Driver.Run("write", _scratch["b"], "300000000").ExitCode);
        Assert.Equal(Hash(_scratch["a"]), Hash(_scratch["b"]));
    }

    [LinuxFact]
    public void A_file_size_limit_is_an_error()
    {
        Driver.Result limited = Driver.Run("write", _scratch["out"], Megabytes, "--small-file-size");
        Assert.Equal(2, limited.ExitCode);
        Assert.Contains($"{_scratch["out"]}: file too large\n", limited.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_scratch.Root));
    }

    [LinuxTheory]
    [InlineData("TERM", "", 143)]
    [InlineData("TERM", "--named", 143)]
    [InlineData("INT", "--named", 130)]
    [InlineData("HUP", "--named --buffered", 129)]
    [InlineData("KILL", "", 137)]
    [InlineData("KILL", "--buffered", 137)]
    public void A_signal_in_mid_link_leaves_nothing(string signal, string switches, int status)
    {
        File.WriteAllText(_scratch["out"], "old");
        using Process process = Driver.StartWithDefaultSignals(["write", _scratch["out"], Megabytes, "--wait", .. switches.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        Driver.AwaitReady(process);
        Assert.Equal(0, Driver.Shell($"kill -{signal} {process.Id}").ExitCode);
        Driver.AwaitExit(process);
        Assert.Equal(status, process.ExitCode);
        Assert.Empty(Directory.GetFileSystemEntries(_scratch.Root));
    }

    [LinuxFact]
    public void Killed_outright_a_named_temporary_stays_but_never_the_output()
    {
        using Process process = Driver.Start(["write", _scratch["out"], Megabytes, "--wait", "--named"]);
        Driver.AwaitReady(process);
        process.Kill();
        Driver.AwaitExit(process);
        Assert.StartsWith(".aotlink-", Path.GetFileName(Assert.Single(Directory.GetFileSystemEntries(_scratch.Root))), StringComparison.Ordinal);
    }

    [LinuxTheory]
    [InlineData("")]
    [InlineData("--named")]
    [InlineData("--buffered")]
    public void An_exit_without_commit_leaves_nothing(string way)
    {
        Assert.Equal(3, Driver.Run(["write", _scratch["out"], Megabytes, "--abandon", .. way.Split(' ', StringSplitOptions.RemoveEmptyEntries)]).ExitCode);
        Assert.Empty(Directory.GetFileSystemEntries(_scratch.Root));
    }

    [LinuxFact]
    public void A_full_disk_is_foreseen_while_reserving()
    {
        using SmallDisk disk = new(_scratch);
        Driver.Result result = disk.Run("write 'DISK/out' 3000000");
        Assert.Equal((2, "link: mapping output file failed: fallocate DISK/out: no space left on device\n"), (result.ExitCode, result.Error));
        Assert.Equal("", disk.List());
    }

    [LinuxTheory]
    [InlineData("")]
    [InlineData("--named")]
    public void A_disk_that_fills_while_the_map_is_written_ends_the_link_and_leaves_nothing(string way)
    {
        using SmallDisk disk = new(_scratch);
        Driver.Result result = disk.Run($"write 'DISK/out' 3000000 --no-room-check {way}");
        if (Driver.HasGuard)
            Assert.Equal((2, "link: write DISK/out: no space left on device, or an input/output error\n"), (result.ExitCode, result.Error));
        else
            Assert.NotEqual(0, result.ExitCode);
        if (Driver.HasGuard || way.Length == 0)
            Assert.Equal("", disk.List());
    }

    [LinuxFact]
    public void A_disk_that_fills_while_buffers_are_written_is_an_error()
    {
        using SmallDisk disk = new(_scratch);
        Driver.Result result = disk.Run("write 'DISK/out' 3000000 --no-room-check --buffered");
        Assert.Equal((2, "link: write DISK/out: no space left on device\n"), (result.ExitCode, result.Error));
        Assert.Equal("", disk.List());
    }

    [LinuxFact]
    public void An_input_that_shrinks_takes_the_partial_output_with_it()
    {
        if (!Driver.HasGuard)
            return; // without the guard there is nobody to take a named temporary away
        string input = _scratch.File("input.a", 1 << 20);
        using Process process = Driver.Start(["write", _scratch["out"], Megabytes, "--wait", "--named", "--map=" + input]);
        Driver.AwaitReady(process);
        using (FileStream stream = File.OpenWrite(input))
            stream.SetLength(5000);
        Driver.Result result = Driver.Finish(process);
        Assert.Equal((2, $"link: {input}: truncated while it was being read, or an input/output error\n"), (result.ExitCode, result.Error));
        Assert.Equal([input], Directory.GetFileSystemEntries(_scratch.Root));
    }

    private static string Hash(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    private static long Figure(string output, string name)
    {
        string field = output.Split(' ', '\n').First(f => f.StartsWith(name + "=", StringComparison.Ordinal));
        return long.Parse(field[(name.Length + 1)..], System.Globalization.CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// A file system of 2 MiB, mounted in a namespace that ends with each command: as root directly, else in a user
    /// namespace, so it needs no rights where the kernel allows that.
    /// </summary>
    private sealed class SmallDisk(Scratch scratch) : IDisposable
    {
        private readonly string _left = scratch["left"];

        /// <summary>Runs the driver; DISK stands for the mount point, in its messages as well.</summary>
        public Driver.Result Run(string arguments)
        {
            string mount = Directory.CreateDirectory(scratch["disk"]).FullName;
            string unshare = Environment.IsPrivilegedProcess ? "unshare -m" : "unshare -Urm";
            string script = $"mount -t tmpfs -o size=2m none '{mount}' && {{ {Driver.Quoted} {arguments.Replace("DISK", mount, StringComparison.Ordinal)}; s=$?; ls -A '{mount}' >'{_left}'; exit $s; }}";
            File.WriteAllText(scratch["script"], script);
            Driver.Result result = Driver.Shell($"{unshare} /bin/sh '{scratch["script"]}'");
            Assert.True(File.Exists(_left), "no small file system could be mounted: " + result.Error);
            return result with { Error = result.Error.Replace(mount, "DISK", StringComparison.Ordinal) };
        }

        /// <summary>What was left there.</summary>
        public string List() => File.ReadAllText(_left);

        public void Dispose() => File.Delete(_left);
    }
}
