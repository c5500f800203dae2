using AotLinker.Mapping;

namespace AotLinker.Cli;

/// <summary>
/// <c>aotlink install</c> and <c>aotlink uninstall</c>: puts this program at <c>GOROOT/pkg/tool/HOST/link</c>, keeps what
/// stood there beside it, proves that the go command builds the same program with either, and restores.
/// <para>
/// The original is renamed, not copied, so a symbolic link, an owner and times come back as they were. Each step can be
/// undone by <see cref="Uninstall"/>, also when this process dies between two of them; what couldn't be undone is refused.
/// </para>
/// </summary>
internal sealed class Installer
{
    private readonly string _root;
    private readonly string _self;
    private readonly TextWriter _output;
    private readonly Toolchain _toolchain;
    private readonly IToolchainProbe _probe;
    private readonly string _folder;

    /// <param name="root">GOROOT.</param>
    /// <param name="self">This program's own file.</param>
    /// <param name="output">Where the steps are told.</param>
    /// <param name="probe">Tries the toolchain out; null for a real one.</param>
    /// <exception cref="LinkException">The folder is not a toolchain.</exception>
    public Installer(string root, string self, TextWriter output, IToolchainProbe? probe = null)
    {
        _root = Path.GetFullPath(root);
        _self = self;
        _output = output;
        _folder = FindToolFolder(_root);
        _toolchain = Toolchain.FromRoot(_root, Path.GetFileName(_folder))
            ?? throw new LinkException($"{_root} has no VERSION file: not a Go toolchain");
        _probe = probe ?? new ToolchainProbe(_toolchain, _root);
        LinkPath = Path.Combine(_folder, StockLinker.Executable("link"));
        SavedPath = Path.Combine(_folder, StockLinker.Executable(StockLinker.SavedName));
    }

    /// <summary>Where the go command looks for the linker.</summary>
    public string LinkPath { get; }

    /// <summary>Where the original is kept.</summary>
    public string SavedPath { get; }

    /// <summary>Installs this program.</summary>
    /// <exception cref="LinkException">It can't be done, or couldn't be undone. The toolchain's own linker is in place then.</exception>
    public void Install()
    {
        if (_toolchain.Release is null)
            throw new LinkException($"{_root} is {LinkCapability.MissingRelease(_toolchain.Version)}");
        if (ToolKinds.Of(_self) != ToolKind.AotLink)
            throw new LinkException($"{_self} is not aotlink as a program of its own (a Native AOT build), so it can't be installed");
        CheckWritable();

        ToolKind link = ToolKinds.Of(LinkPath);
        ToolKind saved = ToolKinds.Of(SavedPath);
        if (link == ToolKind.AotLink)
        {
            if (saved != ToolKind.Go)
                throw new LinkException($"{LinkPath} is aotlink already, but the original is not at {SavedPath}: this couldn't be undone");
            if (SameContent(LinkPath, _self))
            {
                Tell($"{LinkPath} is this aotlink already");
                return;
            }
        }
        else if (link == ToolKind.Other || (link == ToolKind.Missing && saved != ToolKind.Go))
        {
            throw new LinkException($"{LinkPath} is {(link == ToolKind.Other ? "not Go's linker; it is left alone" : "missing")}");
        }

        if (link == ToolKind.Go)
        {
            if (saved is ToolKind.Go)
                Tell($"the toolchain was installed anew since aotlink was; {SavedPath} will be replaced");
            else if (saved != ToolKind.Missing)
                throw new LinkException($"{SavedPath} is in the way");
        }
        else
        {
            // An older aotlink, or an install that was cut short: begin from the original.
            CheckOriginal(SavedPath);
            Rename(SavedPath, LinkPath);
            Tell($"{LinkPath} was {(link == ToolKind.Missing ? "missing" : "an older aotlink")}; the original is restored first");
        }

        CheckOriginal(LinkPath);
        string folder = Directory.CreateTempSubdirectory("aotlink-install-").FullName;
        try
        {
            byte[] before = _probe.BuildProgram(folder);
            Tell($"a test program linked by the original: {before.Length} bytes");
            Switch(folder, before);
            Tell("the same program linked by aotlink: identical");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        Tell($"installed: {LinkPath} (the original is {SavedPath})");
    }

    /// <summary>Restores the original.</summary>
    /// <exception cref="LinkException">We are not installed, or there is no original that is this toolchain's. Nothing has changed then.</exception>
    public void Uninstall()
    {
        ToolKind link = ToolKinds.Of(LinkPath);
        ToolKind saved = ToolKinds.Of(SavedPath);
        if (link is ToolKind.AotLink or ToolKind.Missing)
        {
            if (saved != ToolKind.Go)
                throw new LinkException($"the original linker is not at {SavedPath}: install the toolchain anew");
            CheckWritable();
            CheckOriginal(SavedPath);
            Rename(SavedPath, LinkPath);
            Tell($"restored: {LinkPath}");
        }
        else if (link == ToolKind.Go && saved == ToolKind.Go)
        {
            // A toolchain was unpacked over this one, linker included; what we kept belongs to the former.
            CheckWritable();
            Delete(SavedPath);
            Tell($"{LinkPath} is Go's own, newer than the install; {SavedPath} is removed");
        }
        else
        {
            throw new LinkException($"aotlink is not installed in {_root}");
        }
    }

    /// <summary>GOROOT: as given, else from the environment, else from the go command on PATH.</summary>
    /// <param name="given">The <c>--goroot</c> option, or null.</param>
    /// <exception cref="LinkException">There is no go command to ask.</exception>
    public static string FindRoot(string? given)
    {
        if (!string.IsNullOrEmpty(given))
            return given;
        if (HostProcess.Variable("GOROOT") is { Length: > 0 } set)
            return set;
        (int exitCode, string output, _) = ToolchainProbe.Run("go", ["env", "GOROOT"], "", []);
        string root = output.Trim();
        return exitCode == 0 && root.Length > 0
            ? root
            : throw new LinkException("\"go env GOROOT\" failed; name the toolchain with --goroot DIR");
    }

    private static string FindToolFolder(string root)
    {
        string tools = Path.Combine(root, "pkg", "tool");
        string expected = Path.Combine(tools, $"{Toolchain.RunningOs}_{Toolchain.RunningArch}");
        return Directory.Exists(expected) ? expected : throw new LinkException($"{root} has no folder {expected}: not a Go toolchain for this host");
    }

    private static bool SameContent(string a, string b)
    {
        using InputFile first = InputFile.Open(a);
        using InputFile second = InputFile.Open(b);
        return first.FirstBytes(int.MaxValue).SequenceEqual(second.FirstBytes(int.MaxValue));
    }

    private static void Rename(string from, string to)
    {
        try
        {
            File.Move(from, to, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LinkException($"can't rename {from} to {to}: {e.Message}", e);
        }
    }

    private static void Delete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LinkException($"can't remove {path}: {e.Message}", e);
        }
    }

    private void Tell(string text) => _output.WriteLine(text);

    private void CheckWritable()
    {
        string probe = Path.Combine(_folder, $".aotlink-{Environment.ProcessId}");
        try
        {
            File.Create(probe).Dispose();
            File.Delete(probe);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LinkException($"can't write in {_folder}: run as its owner, or build with -toolexec=\"aotlink exec\" ({e.Message})", e);
        }
    }

    // What will be restored one day must be what this toolchain came with.
    private void CheckOriginal(string original)
    {
        string line = _probe.VersionOf(original);
        string expected = "version " + _toolchain.Version;
        if (line != expected && !line.StartsWith(expected + " ", StringComparison.Ordinal))
            throw new LinkException($"{original} says \"{line}\", but {_root} is {_toolchain.Version}: install the toolchain anew");
    }

    // Renames the original aside and puts ourselves in its place; back if the result isn't the same.
    private void Switch(string folder, byte[] before)
    {
        string fresh = Path.Combine(_folder, StockLinker.Executable($".aotlink-{Environment.ProcessId}"));
        try
        {
            File.Copy(_self, fresh, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LinkException($"can't copy {_self} to {_folder}: {e.Message}", e);
        }

        try
        {
            Rename(LinkPath, SavedPath);
            try
            {
                Rename(fresh, LinkPath);
                string ours = _probe.VersionOf(LinkPath);
                string theirs = _probe.VersionOf(SavedPath);
                if (ours != theirs)
                    throw new LinkException($"aotlink says \"{ours}\" where the original says \"{theirs}\"");
                if (!_probe.BuildProgram(folder).AsSpan().SequenceEqual(before))
                    throw new LinkException("the program linked by aotlink differs from the one linked by the original");
            }
            catch
            {
                Rename(SavedPath, LinkPath);
                Tell("rolled back: the original is in place");
                throw;
            }
        }
        finally
        {
            Delete(fresh);
        }
    }
}
