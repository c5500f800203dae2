using System.Text;
using AotLinker.Cli;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Load;

/// <summary>
/// Finds and opens every package of the link, in the Go linker's order: the main package, then what each object imports, then the
/// packages every program needs (ld.loadlib, loadobjfile, ldobj, addlib).
/// </summary>
/// <remarks>
/// Which packages belong to the link, and in which order, is only known by following imports one by one. The import configuration
/// names nearly all of them beforehand, so their files are mapped and taken apart in parallel first.
/// </remarks>
internal sealed class PackageLoader
{
    private readonly LinkOptions _options;
    private readonly Diagnostics _diagnostics;
    private readonly Workers _workers;
    private readonly ParsedFile[] _parsed;

    // By the line of the import configuration that an import was found on, whose path is that of the import to the byte.
    private readonly Package?[] _byLine;
    private readonly LoadedPackages _result = new();

    // The file of each package; null if it has not been opened yet.
    private readonly List<ParsedFile?> _files = [];
    private readonly List<GoObject> _objects = [];
    private string? _header;
    private int _nextStaticVersion = SymbolTable.StaticVersion;

    // Packages that link internally although they hold host objects (internalpkg).
    private static readonly string[] InternalHostPackages =
    [
        "crypto/internal/boring", "crypto/internal/boring/syso", "crypto/x509", "net", "os/user", "runtime/cgo", "runtime/race",
        "runtime/race/internal/amd64v1", "runtime/race/internal/amd64v3", "runtime/msan", "runtime/asan",
    ];

    private PackageLoader(LinkOptions options, Diagnostics diagnostics, Workers workers)
    {
        _options = options;
        _diagnostics = diagnostics;
        _workers = workers;
        _parsed = new ParsedFile[1 + (options.ImportConfig?.PackageCount ?? 0)];
        _byLine = new Package?[_parsed.Length - 1];
    }

    /// <summary>Loads the packages of a link.</summary>
    /// <param name="options">The command line.</param>
    /// <param name="diagnostics">Errors and the log.</param>
    /// <param name="workers">Parallel loops.</param>
    /// <param name="alsoNeeded">Asked once all are loaded: one more package that the link needs, or null.</param>
    /// <exception cref="LinkException">A file cannot be read or is damaged, or a package does not fit.</exception>
    public static LoadedPackages Run(
        LinkOptions options, Diagnostics diagnostics, Workers workers, Func<LoadedPackages, string?>? alsoNeeded = null) =>
        new PackageLoader(options, diagnostics, workers).Load(alsoNeeded);

    private LoadedPackages Load(Func<LoadedPackages, string?>? alsoNeeded)
    {
        ParseAhead();
        for (int i = 0; i < _options.Arguments.Count; i++)
        {
            (string path, string given) = _options.CommandLinePackage(i);
            Add("command line", "command line", given, path, 0, i == 0 ? _parsed[0] : ParsedAhead(path, given));
        }
        int next = 0;
        LoadPending(ref next);
        if (_options.Race)
        {
            AddInternal("runtime/race");
        }
        if (_options.Msan)
        {
            AddInternal("runtime/msan");
        }
        if (_options.Asan)
        {
            AddInternal("runtime/asan");
        }
        AddInternal("runtime");
        LoadPending(ref next);
        if (alsoNeeded?.Invoke(_result) is { } package)
        {
            AddInternal(package);
            if ((_options.LinkShared || _options.BuildMode == BuildMode.Shared)
                && _result.ByPath.TryGetValue(package, out Package? added) && added.SharedLibrary.Length == 0)
            {
                Diagnostics.Exit($"cannot implicitly include {package} in a shared library");
            }
            LoadPending(ref next);
        }

        _result.Objects = new GoObject[_objects.Count + SymbolTable.FirstObject];
        _objects.CopyTo(_result.Objects, SymbolTable.FirstObject);
        return _result;
    }

    private void LoadPending(ref int next)
    {
        for (; next < _result.Packages.Count; next++)
        {
            if (_result.Packages[next].SharedLibrary.Length == 0)
            {
                LoadPackage(_result.Packages[next], _files[next]);
            }
        }
    }

    // The main package's file, and behind it that of each line of the import configuration. The go command names the main package there, too;
    // that line has what the command line's file holds, or a file of hundreds of megabytes that a program embeds would be mapped twice.
    private void ParseAhead()
    {
        ImportConfig? config = _options.ImportConfig;
        string mainFile = _options.MainFile;
        byte[] main = HostPath.Encode(mainFile);
        bool IsMain(int i) => i != 0 && config!.PackageFile(i - 1).SequenceEqual(main);
        ForFiles(i => _parsed[i] = ParsedFile.Open(i == 0 ? mainFile : RawText.Decode(config!.PackageFile(i - 1))));
        InputStore.Shared.MakePresent(_workers);
        ForFiles(i => _parsed[i].ReadMembers(config));
        for (int i = 1; i < _parsed.Length; i++)
        {
            _parsed[i] ??= _parsed[0];
        }

        void ForFiles(Action<int> body) => _workers.ForChunks(_parsed.Length, 8, (from, to, _) =>
        {
            for (int i = from; i < to; i++)
            {
                if (!IsMain(i))
                {
                    body(i);
                }
            }
        });
    }

    // What a line's file holds, for the package of that line; null if the main package has it, and it is to be taken apart once more.
    private ParsedFile? ParsedFor(int line) => _parsed[1 + line] == _parsed[0] ? null : _parsed[1 + line];

    // What a file of the command line holds, if the import configuration names it for the same package.
    private ParsedFile? ParsedAhead(string path, string file) =>
        _options.ImportConfig?.Find(Encoding.UTF8.GetBytes(path)) is >= 0 and var line && _parsed[1 + line].Path == file ? ParsedFor(line) : null;

    // The shared library that has a package; null if objects are to be linked.
    private string? SharedLibraryOf(string path) =>
        _options.LinkShared ? _options.ImportConfig?.FindSharedLibrary(Encoding.UTF8.GetBytes(path)) : null;

    // A library may be given by a file that holds its name.
    private static string NameOfLibrary(string library)
    {
        if (!library.EndsWith(".shlibname", StringComparison.Ordinal))
        {
            return library;
        }
        if (!InputStore.Shared.TryOpen(library, out InputFile? file, out string? error))
        {
            throw new LinkException($"cannot read {library}: {error}");
        }
        return HostPath.Decode(file.AllBytes()).Trim();
    }

    private Package Add(
        string sourceRef, string objectRef, string file, string path, ulong fingerprint, ParsedFile? parsed = null, string library = "")
    {
        if (_result.ByPath.TryGetValue(path, out Package? known))
        {
            return known;
        }
        if (_diagnostics.Verbosity > 1)
        {
            _diagnostics.Log($"addlibpath: srcref: {sourceRef} objref: {objectRef} file: {file} pkg: {path} shlib: {library} fingerprint: {FingerprintText(fingerprint)}");
        }
        Package package = new()
        {
            Path = path,
            File = file,
            ObjectRef = objectRef,
            SourceRef = sourceRef,
            Fingerprint = fingerprint,
            SharedLibrary = NameOfLibrary(library),
        };
        _result.ByPath.Add(path, package);
        _result.Packages.Add(package);
        _files.Add(parsed);
        return package;
    }

    // A package the linker itself asks for (loadinternal).
    private void AddInternal(string path)
    {
        if (SharedLibraryOf(path) is { } library)
        {
            Add("internal", "internal", "", path, 0, library: library);
            return;
        }
        if (_options.ImportConfig is { } config)
        {
            if (config.Find(Encoding.UTF8.GetBytes(path)) is >= 0 and var line)
            {
                Add("internal", "internal", _parsed[1 + line].Path, path, 0, ParsedFor(line));
            }
            else
            {
                _diagnostics.Log($"loadinternal: cannot find {path}");
            }
            return;
        }
        foreach (string directory in _options.LibraryDirectories)
        {
            string file = Path.Join(directory, path + ".a");
            if (_diagnostics.Verbosity != 0)
            {
                _diagnostics.Log($"searching for {path}.a in {file}");
            }
            if (File.Exists(file))
            {
                Add("internal", "internal", file, path, 0);
                return;
            }
        }
        if (path == "runtime")
        {
            Diagnostics.Exit("error: unable to find runtime.a");
        }
        _diagnostics.Log($"warning: unable to find {path}.a");
    }

    // A package that an object imports (addlib, findlib), as the object has its path, and the line that has just this path if there is one.
    private Package Import(string sourceRef, string objectRef, ReadOnlySpan<byte> bytesOfPath, int line, ulong fingerprint)
    {
        string given = Encoding.UTF8.GetString(bytesOfPath);
        string path = GoText.CleanPath(given);
        if (_result.ByPath.TryGetValue(path, out Package? known) && known.Fingerprint != 0)
        {
            CheckFingerprint(known, known.Fingerprint, sourceRef, fingerprint);
            return known;
        }
        if (SharedLibraryOf(path) is { } library)
        {
            if (_diagnostics.Verbosity > 1)
            {
                _diagnostics.Log($"addlib: {objectRef} {sourceRef} pulls in {library} isshlib true");
            }
            return Add(sourceRef, objectRef, "", path, fingerprint, library: library);
        }
        string file = "";
        ParsedFile? parsed = null;
        if (_options.ImportConfig is { } config)
        {
            if (path != given)
            {
                line = config.Find(Encoding.UTF8.GetBytes(path));
            }
            if (line >= 0)
            {
                parsed = ParsedFor(line);
                file = _parsed[1 + line].Path;
            }
            else
            {
                _diagnostics.Log($"cannot find package {path} (using -importcfg)");
            }
        }
        else
        {
            foreach (string directory in _options.LibraryDirectories)
            {
                file = Path.Join(directory, path + ".a");
                if (File.Exists(file))
                {
                    break;
                }
                file = Path.Join(directory, path + ".o");
                if (File.Exists(file))
                {
                    break;
                }
            }
        }
        if (_diagnostics.Verbosity > 1)
        {
            _diagnostics.Log($"addlib: {objectRef} {sourceRef} pulls in {file} isshlib false");
        }
        return Add(sourceRef, objectRef, file, path, fingerprint, parsed);
    }

    private void LoadPackage(Package package, ParsedFile? parsed)
    {
        string prefix = ImportPath.Escape(package.Path);
        if (_diagnostics.Verbosity > 1)
        {
            _diagnostics.Log($"autolib: {package.File} (from {package.ObjectRef})");
            _diagnostics.Log($"ldobj: {package.File} ({prefix})");
        }
        parsed ??= ParsedFile.Parse(package.File, _options.ImportConfig);
        if (parsed.Failure is not null)
        {
            if (parsed.File is null)
            {
                // What can be opened and not read, as a folder, cmd/link finds out when it looks for the first byte (bgetc).
                string why = parsed.Failure.Message;
                throw why.StartsWith("read ", StringComparison.Ordinal)
                    ? new LinkException(MessageForm.Input, $"reading input: {why}")
                    : new LinkException($"cannot open file {package.File}: {why}");
            }
            throw parsed.Failure;
        }
        if (parsed.DynamicImportFailed)
        {
            _result.DynamicImportFailed.Add(package.Path);
        }
        if (parsed.PrefersExternalLink && _options.LinkMode == LinkMode.Auto)
        {
            _result.PrefersExternalLink.Add(package.Path);
        }
        _result.Files.Add(parsed);
        foreach (ParsedMember member in parsed.Members)
        {
            LoadMember(package, parsed, member, prefix);
        }
        if (prefix == "main" && !package.IsMain)
        {
            Diagnostics.Exit($"{package.File}: not package main");
        }
    }

    private unsafe void LoadMember(Package package, ParsedFile parsed, ParsedMember member, string prefix)
    {
        CompilationUnit unit = new(package);
        package.Units.Add(unit);
        if (member.IsForeignSyso && (_options.Release ?? Release.Newest).RefusesUnknownSyso)
        {
            _diagnostics.Error($"{member.DisplayName}: unsupported object format in .syso file");
            return;
        }
        if (member.Error is not null)
        {
            if (member.IsFatal)
            {
                Diagnostics.Exit(member.Error);
            }
            _diagnostics.Error(member.Error);
            return;
        }
        if (member.Kind != MemberKind.GoObject)
        {
            _result.HostObjects.Add(new HostObject(member.Kind, prefix, package, parsed.File!, member));
            bool isInternal = InternalHostPackages.Contains(prefix)
                && !Platforms.HostObjectsNeedExternalLinker(_options.GoOs, prefix);
            _result.HasExternalObject |= !isInternal;
            if (member.Kind == MemberKind.Unknown)
            {
                _result.HasUnknownObject = true;
                if (member.DisplayName == parsed.Path)
                {
                    _result.UnknownPackageFile ??= parsed.Path;
                }
            }
            return;
        }
        if (!_options.IgnoreVersionMismatch)
        {
            CheckHeader(member);
        }
        if (!_options.SkipPackageDataChecks)
        {
            ReadPackageData(package, parsed, member, prefix);
        }
        if (member.Object is not { } o)
        {
            throw member.Damage!;
        }
        o.Index = _objects.Count + SymbolTable.FirstObject;
        o.StaticVersion = _nextStaticVersion++;
        o.Unit = unit;
        unit.Object = o;
        if (package.ObjectCount++ == 0)
        {
            package.FirstObject = o.Index;
        }
        if ((o.Flags & GoObject.ObjectFlags.Unlinkable) != 0)
        {
            throw new LinkException(MessageForm.Input, $"link: unlinkable object (from package {package.Path}) - compiler requires -p flag");
        }
        _objects.Add(o);
        if (o.Fingerprint != 0)
        {
            if (package.Fingerprint == 0)
            {
                package.Fingerprint = o.Fingerprint;
            }
            CheckFingerprint(package, o.Fingerprint, package.SourceRef, package.Fingerprint);
        }
        package.Imports.EnsureCapacity(package.Imports.Count + member.Imports.Length);
        for (int i = 0; i < member.Imports.Length; i++)
        {
            // Nearly all are known by now: packages import each other far more often than they are first seen.
            (int line, ulong fingerprint) = member.Imports[i];
            if (line >= 0 && _byLine[line] is { Fingerprint: not 0 } known)
            {
                CheckFingerprint(known, known.Fingerprint, prefix, fingerprint);
                package.Imports.Add(known);
                continue;
            }
            ReadOnlySpan<byte> path = line >= 0 ? _options.ImportConfig!.PackagePath(line) : o.Autolib(i, out _);
            Package import = Import(prefix, member.DisplayName, path, line, fingerprint);
            package.Imports.Add(import);
            if (line >= 0)
            {
                _byLine[line] = import;
            }
        }
    }

    private void CheckHeader(ParsedMember member)
    {
        string want = _header ??= _options.ObjectHeader;
        if (member.Header != want)
        {
            _diagnostics.Error($"{member.DisplayName}: linked object header mismatch:\nhave {GoText.Quote(member.Header + "\n")}\nwant {GoText.Quote(want + "\n")}\n");
            string[] words = member.Header.Split(' ');
            if (words.Length > 4 && Release.ForVersion(words[4]) is null)
            {
                throw new LinkException($"{member.DisplayName}: object of {words[4]}: aotlink knows {Release.KnownForMessage}");
            }
        }
    }

    // What the parser found in the package data; cgo directives are taken apart here (ldpkg).
    private void ReadPackageData(Package package, ParsedFile parsed, ParsedMember member, string prefix)
    {
        if (member.PackageDataLength > int.MaxValue)
        {
            throw new LinkException($"{member.DisplayName}: too much pkg data in {parsed.Path}");
        }
        package.IsMain |= member.DeclaresMain;
        if (member.CgoSection < 0)
        {
            return;
        }
        ReadOnlySpan<byte> data = parsed.File!.Span(member.PackageDataOffset, (int)member.PackageDataLength)[member.CgoSection..];
        int newline = data[1..].IndexOf((byte)'\n');
        if (newline < 0)
        {
            _diagnostics.Warn($"{_diagnostics.ProgramName}: found $$ // cgo but no newline in {member.DisplayName}");
            return;
        }
        data = data[(1 + newline)..];
        int stop = data.IndexOf("\n$$"u8);
        if (stop < 0)
        {
            stop = data.IndexOf("\n!\n"u8);
        }
        if (stop < 0)
        {
            _diagnostics.Warn($"{_diagnostics.ProgramName}: cannot find end of // cgo section in {member.DisplayName}");
            return;
        }
        if (!CgoDirectives.TryParse(data[..stop], out List<string[]> directives, out string error))
        {
            _diagnostics.Error($"{_diagnostics.ProgramName}: {member.DisplayName}: failed decoding cgo directives: {error}");
            return;
        }
        _result.CgoDirectives.Add(new CgoDirectives(member.DisplayName, prefix, directives));
    }

    private static void CheckFingerprint(Package package, ulong own, string source, ulong expected)
    {
        if (own != expected)
        {
            Diagnostics.Exit($"fingerprint mismatch: {package} has {FingerprintText(own)}, import from {source} expecting {FingerprintText(expected)}");
        }
    }

    private static string FingerprintText(ulong fingerprint) =>
        Convert.ToHexStringLower(FingerprintBytes(fingerprint));

    private static byte[] FingerprintBytes(ulong fingerprint)
    {
        byte[] bytes = new byte[8];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(bytes, fingerprint);
        return bytes;
    }
}

/// <summary>An object of the host's compiler, found in a package.</summary>
/// <param name="Kind">Its format.</param>
/// <param name="Prefix">Escaped path of the package.</param>
/// <param name="Package">The package.</param>
/// <param name="File">The mapped file it lies in.</param>
/// <param name="Member">Where it lies.</param>
internal sealed record HostObject(MemberKind Kind, string Prefix, Package Package, Mapping.InputFile File, ParsedMember Member);

/// <summary>What load found.</summary>
internal sealed class LoadedPackages
{
    /// <summary>Packages in load order.</summary>
    public List<Package> Packages { get; } = [];

    /// <summary>The packages by import path.</summary>
    public Dictionary<string, Package> ByPath { get; } = new(StringComparer.Ordinal);

    /// <summary>Go objects in load order, from <see cref="SymbolTable.FirstObject"/> on.</summary>
    public GoObject[] Objects { get; set; } = [];

    /// <summary>
    /// Called when functions' tables are placed: the pages with content hashes need not stay resident, for nobody looks at them again.
    /// </summary>
    /// <remarks>
    /// Letting go of all pages of the inputs here, or between later passes, makes the resident peak smaller still, but mapping pages anew
    /// costs more than most passes save.
    /// </remarks>
    public void LetGoOfHashes(Workers workers) => workers.ForChunks(Files.Count, 32, (from, to, _) =>
    {
        // A call for less costs more than the pages are worth.
        const long Worthwhile = 64 << 10;
        for (int i = from; i < to; i++)
        {
            foreach (ParsedMember member in Files[i].Members)
            {
                if (member.Object is { } o && o.ContentHashes.Length >= Worthwhile)
                {
                    Files[i].File!.Advise(member.ObjectOffset + o.ContentHashes.Offset, o.ContentHashes.Length, MapAdvice.DontNeed);
                }
            }
        }
    });

    /// <summary>Host objects in load order.</summary>
    public List<HostObject> HostObjects { get; } = [];

    /// <summary>The files, mapped for the whole link.</summary>
    public List<ParsedFile> Files { get; } = [];

    /// <summary>cgo directives by object, in load order.</summary>
    public List<CgoDirectives> CgoDirectives { get; } = [];

    /// <summary>Packages whose dynamic imports cgo could not write.</summary>
    public List<string> DynamicImportFailed { get; } = [];

    /// <summary>Packages that ask for external linking by default.</summary>
    public List<string> PrefersExternalLink { get; } = [];

    /// <summary>Whether a host object belongs to a package that is not known to link internally.</summary>
    public bool HasExternalObject { get; set; }

    /// <summary>Whether a host object has an unknown format.</summary>
    public bool HasUnknownObject { get; set; }

    /// <summary>The first package whose file is neither an archive nor an object of a known format; null if there is none.</summary>
    public string? UnknownPackageFile { get; set; }
}
