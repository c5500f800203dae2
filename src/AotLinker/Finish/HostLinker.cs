using System.Globalization;
using System.Text;
using AotLinker.Cli;
using AotLinker.Load;
using AotLinker.Mapping;

namespace AotLinker.Finish;

/// <summary>
/// The host's linker, which does the final link of what we can't or shall not: it gets one object with all of Go, and those that C
/// compilers made (ld.hostlinksetup, hostobjCopy, linkerFlagSupported, hostlink). What the command line says is the format's to know.
/// </summary>
internal sealed class HostLinker
{
    // Longer command lines go through a file (sys.ExecArgLengthLimit).
    private const int LongestCommand = 30 << 10;

    private readonly LinkContext _ctx;
    private readonly string _folder;
    private readonly List<HostObject> _objects;
    private bool _hasTrial;

    private HostLinker(LinkContext ctx, string folder, List<HostObject> objects)
    {
        _ctx = ctx;
        _folder = folder;
        _objects = objects;
        Program = ProgramOf(ctx.Options);
        Arguments = ctx.Target.Cpu.HostCompilerArguments(ctx.Target);
        Strips = ctx.Settings.OmitSymbolTable;
    }

    /// <summary>The linker of a link, and the arguments it always gets: that of -extld, or else the system's usual compiler (Link.extld).</summary>
    public static IReadOnlyList<string> ProgramOf(LinkOptions options) =>
        options.ExternalLinker.Count != 0 ? options.ExternalLinker : [Releases.Platforms.DefaultCompiler(options.GoOs)];

    /// <summary>The linker and the arguments it always gets (-extld).</summary>
    public IReadOnlyList<string> Program { get; }

    /// <summary>What tells the linker the CPU.</summary>
    public IReadOnlyList<string> Arguments { get; }

    /// <summary>Whether the program is to have no symbol table; the object needs one all the same (-s).</summary>
    public bool Strips { get; }

    /// <summary>How the C compiler is told of another linker than its own.</summary>
    public const string OtherLinkerOption = "-fuse-ld=";

    /// <summary>The linker that the C compiler runs in the place of its own; null for its own. Counts for trials from when it is set.</summary>
    public string? OtherLinker { get; set; }

    /// <summary>The objects that C compilers made.</summary>
    public IReadOnlyList<HostObject> Objects => _objects;

    /// <summary>Path of the object.</summary>
    public string Object => Inside("go.o");

    /// <summary>
    /// Lets an object take the place of the output, in a folder of its own or that of -tmpdir. Sets <see cref="LinkContext.HostLinker"/> and
    /// <see cref="LinkContext.Output"/>.
    /// </summary>
    /// <exception cref="LinkException">The folder or the object can't be made.</exception>
    /// <exception cref="UnsupportedLinkException">A name could not be passed on.</exception>
    public static void Begin(LinkContext ctx, List<HostObject> objects)
    {
        string folder = ctx.Options.TemporaryDirectory;
        if (folder.Length == 0)
        {
            try
            {
                folder = Directory.CreateTempSubdirectory("go-link-").FullName;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                Diagnostics.Fatal(e.Message);
            }
            ctx.Diagnostics.AtExit(() => Directory.Delete(folder, recursive: true));
        }
        HostLinker linker = new(ctx, folder, objects);
        ctx.Output.Dispose();
        OutputFile output = OutputFile.Open(linker.Object, OutputOptions.Default, ctx.Workers.Threads);
        ctx.Diagnostics.AtExit(output.Dispose);
        ctx.Output = output;
        ctx.HostLinker = linker;
        ctx.Settings.OmitSymbolTable = false;
        if (ctx.Target.IsExe || ctx.Target.IsPie)
        {
            ctx.Settings.EntrySymbol = ctx.Format.ExternalEntry;
        }
    }

    /// <summary>Whether the linker takes an option: it is tried with a program that does nothing.</summary>
    public bool Supports(string option)
    {
        string source = Inside("trivial.c");
        if (!_hasTrial)
        {
            _hasTrial = true;
            if (HostSystem.Current.WriteWholeFile(source, "int main() { return 0; }"u8) is { IsError: true } error)
            {
                _ctx.Diagnostics.Error($"WriteFile trivial.c failed: {error.Describe("open", source)}");
            }
        }
        List<string> command = [Program[0], .. Arguments];
        command.AddRange(HostLinkerFlags.ForTrial(_ctx.Release, [.. _ctx.ExternalLinkerFlags, .. _ctx.Options.ExternalLinkerFlags]));
        if (OtherLinker is not null)
        {
            command.Add(OtherLinkerOption + OtherLinker);
        }
        command.AddRange(["-o", Inside("a.out"), option, source]);
        ProgramResult result = HostProcess.Run(command, "LC_ALL=C");
        return result.Failure is null
            && result.Output.AsSpan().IndexOf("unrecognized"u8) < 0 && result.Output.AsSpan().IndexOf("unknown"u8) < 0;
    }

    /// <summary>What the linker answers to an option; nothing if it fails.</summary>
    public byte[] Ask(string option)
    {
        ProgramResult result = HostProcess.Run([.. Program, .. HostLinkerFlags.ForTrial(_ctx.Release, _ctx.Options.ExternalLinkerFlags), option]);
        return result.Failure is null ? result.Output : [];
    }

    /// <summary>Has a program made of a source; returns its path, or null if that fails.</summary>
    /// <param name="source">Name of the file that gets the source.</param>
    /// <param name="text">The source.</param>
    /// <param name="program">Name of the file that gets the program.</param>
    public string? Try(string source, ReadOnlySpan<byte> text, string program)
    {
        if (HostSystem.Current.WriteWholeFile(Inside(source), text) is { IsError: true })
        {
            return null;
        }
        ProgramResult result = HostProcess.Run([Program[0], .. Arguments, "-o", Inside(program), Inside(source)], "LC_ALL=C");
        return result.Failure is null ? Inside(program) : null;
    }

    /// <summary>Writes a file for the linker beside the object; returns its path.</summary>
    public string WriteFile(string name, ReadOnlySpan<byte> content)
    {
        string path = Inside(name);
        if (HostSystem.Current.WriteWholeFile(path, content) is { IsError: true } error)
        {
            _ctx.Diagnostics.Error($"WriteFile {name} failed: {error.Describe("open", path)}");
        }
        return path;
    }

    /// <summary>What the linker says of its version; null if it can't be asked.</summary>
    /// <param name="linker">A linker in the place of the C compiler's own; null for that.</param>
    public string? VersionText(string? linker)
    {
        ProgramResult result = HostProcess.Run([.. Program, .. linker is null ? (string[])[] : [OtherLinkerOption + linker], "-Wl,--version"]);
        return result.Failure is null ? HostPath.Decode(result.Output) : null;
    }

    /// <summary>Copies the objects of C compilers out of their packages, and takes away what differs from link to link; returns their paths.</summary>
    public List<string> CopyObjects()
    {
        List<string> paths = [];
        for (int i = 0; i < _objects.Count; i++)
        {
            paths.Add(Inside(string.Create(CultureInfo.InvariantCulture, $"{i:d6}.o")));
            if (_ctx.Diagnostics.Verbosity != 0)
            {
                _ctx.Diagnostics.Log($"host obj copy: {_objects[i].Member.DisplayName} from pkg {_objects[i].Prefix} -> {paths[i]}");
            }
        }
        _ctx.Workers.For(_objects.Count, i =>
        {
            ParsedMember member = _objects[i].Member;
            try
            {
                // Not with the mode of a program: archives may keep it.
                using FileStream copy = File.Create(paths[i]);
                copy.Write(_objects[i].File.Span(member.Offset, checked((int)member.Length)));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new LinkException($"cannot write {paths[i]}: {e.Message}");
            }
        });
        foreach (string path in (IEnumerable<string>)[.. paths, Object])
        {
            try
            {
                File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch);
                File.SetLastAccessTimeUtc(path, DateTime.UnixEpoch);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new LinkException($"cannot chtimes {path}: {e.Message}");
            }
        }
        return paths;
    }

    /// <summary>Runs the linker. The object is complete and has its name.</summary>
    /// <exception cref="LinkException">It can't be started, or fails.</exception>
    public void Link(LinkContext ctx)
    {
        List<string> command = PassInFile(ctx.Format.ExternalLinkCommand(ctx, this));
        if (ctx.Diagnostics.Verbosity != 0)
        {
            ctx.Diagnostics.Log("host link:" + string.Concat(command.Select(argument => " " + GoText.Quote(argument))));
        }
        try
        {
            Run(ctx, command);
            ctx.Format.AmendExternalLink(ctx, this);
        }
        catch (LinkException)
        {
            Remove(ctx.Options.Output);
            throw;
        }
    }

    // Nothing of a link that fails is left, unless it is no file, as /dev/null, or a link (mayberemoveoutfile).
    private static void Remove(string path)
    {
        if (HostSystem.Current.FactsAt(path, follow: false, out FileFacts facts).IsNone && facts.Kind == FileKind.Regular)
        {
            _ = HostSystem.Current.Remove(path);
        }
    }

    /// <summary>Makes an archive of the object and those of C compilers (ld.archive).</summary>
    /// <exception cref="LinkException">The archiver can't be started, or fails.</exception>
    public void Archive(LinkContext ctx)
    {
        string archiver = ctx.Options.ExternalArchiver;
        if (archiver.Length == 0)
        {
            archiver = Supports("--print-prog-name=ar") ? FindTool("ar") : "ar";
        }
        List<string> objects = CopyObjects();
        List<string> command = [archiver, "-q", "-c", "-s", .. ctx.Format.ArchiverOptions, ctx.Options.Output, Object, .. objects];
        if (ctx.Diagnostics.Verbosity != 0)
        {
            ctx.Diagnostics.Log($"archive: {string.Join(' ', command)}");
        }
        ProgramResult result = HostProcess.Run(command);
        if (result.Failure is not null)
        {
            throw new LinkException($"running {archiver} failed: {result.Failure}\n{HostPath.Decode(result.Output)}");
        }
    }

    /// <summary>Path of a file in the folder of the object.</summary>
    public string Inside(string name) => GoText.JoinPath(_folder, name);

    /// <summary>Where the linker's own copy of another tool is (findExtLinkTool).</summary>
    /// <exception cref="LinkException">The linker can't be started, or fails.</exception>
    public string FindTool(string name)
    {
        ProgramResult result = HostProcess.Run([.. Program, .. Arguments, "--print-prog-name", name]);
        string output = HostPath.Decode(result.Output);
        if (result.Failure is not null)
        {
            throw new LinkException($"{_ctx.Diagnostics.ProgramName}: finding {name} failed: {result.Failure}\n{output}");
        }
        return output.TrimEnd('\r', '\n');
    }

    /// <summary>Runs a tool on what the linker has made.</summary>
    /// <param name="name">What the tool is called in messages.</param>
    /// <param name="command">The tool and its arguments.</param>
    /// <param name="environment">Variables it gets beside ours, as NAME=VALUE.</param>
    /// <exception cref="LinkException">It can't be started, or fails.</exception>
    public void RunTool(string name, List<string> command, params string[] environment)
    {
        ProgramResult result = HostProcess.RunWith(environment, command);
        if (result.Failure is not null)
        {
            throw Failed(command, result, $"{_ctx.Diagnostics.ProgramName}: running {name}");
        }
    }

    private static LinkException Failed(List<string> command, ProgramResult result, string? what = null) => new(
        $"{what ?? "running " + command[0]} failed: {result.Failure}\n{string.Join(' ', command.Skip(1).Prepend(result.Program))}\n"
        + HostPath.Decode(result.Output));

    private static void Run(LinkContext ctx, List<string> command)
    {
        ProgramResult result = HostProcess.Run(command);
        if (result.Failure is not null)
        {
            throw Failed(command, result);
        }
        byte[] warnings = ctx.Format.ExternalLinkWarnings(ctx, result.Output);
        if (warnings.Length != 0)
        {
            // Warnings are shown also if all is well.
            ctx.Diagnostics.Write(warnings);
        }
    }

    // What is too long for a command line is passed in a file, if the linker takes one (passLongArgsInResponseFile).
    private List<string> PassInFile(List<string> command)
    {
        if (command.Sum(argument => (long)HostPath.Encode(argument).Length) < LongestCommand)
        {
            return command;
        }
        string file = Inside("response");
        if (HostSystem.Current.WriteWholeFile(file, []) is { IsError: true } first)
        {
            Diagnostics.Fatal($"failed while testing response file: {first.Describe("open", file)}");
        }
        if (!Supports("@" + file))
        {
            if (_ctx.Diagnostics.Verbosity != 0)
            {
                _ctx.Diagnostics.Write("not using response file because linker does not support one"u8);
            }
            return command;
        }
        StringBuilder content = new();
        foreach (string argument in command.Skip(1))
        {
            content.Append(GoText.Quote(argument)).Append('\n');
        }
        if (HostSystem.Current.WriteWholeFile(file, HostPath.Encode(content.ToString())) is { IsError: true } error)
        {
            Diagnostics.Fatal($"failed while writing response file: {error.Describe("open", file)}");
        }
        if (_ctx.Diagnostics.Verbosity != 0)
        {
            _ctx.Diagnostics.Write(HostPath.Encode($"response file {file} contents:\n{content}"));
        }
        return [command[0], "@" + file];
    }
}
