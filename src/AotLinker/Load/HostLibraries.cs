using System.Buffers.Binary;
using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Load;

/// <summary>
/// What host objects expect of the host compiler's own libraries, libgcc above all: the members that define what is still missing are
/// linked in (the end of ld.loadlib, and ld.hostArchive).
/// </summary>
internal sealed partial class HostLibraries
{
    private const string None = "none";

    private readonly LinkContext _ctx;
    private readonly HostObjects _loader;

    private HostLibraries(LinkContext ctx, HostObjects loader)
    {
        _ctx = ctx;
        _loader = loader;
    }

    /// <summary>Loads what is missing, once all objects of packages are loaded.</summary>
    public static void Load(LinkContext ctx, HostObjects loader)
    {
        HostLibraries libraries = new(ctx, loader);
        if (libraries.Missing().Count == 0)
        {
            return;
        }
        string libgcc = ctx.Options.LibGcc;
        if (libgcc.Length == 0)
        {
            libgcc = Ask(ctx, "--print-libgcc-file-name", "libgcc");
        }
        if (ctx.Target.HeadType == HeadType.Windows)
        {
            libraries.LoadWindowsLibraries();
        }
        libraries.LoadArchive(libgcc);

        // Code compiled with -fstack-protector calls a function that C libraries keep in an archive of its own.
        if (libraries.Missing().Exists(s => ctx.Symbols.Name(s).SequenceEqual("__stack_chk_fail_local"u8)))
        {
            foreach (string name in (string[])["libc_nonshared.a", "libssp_nonshared.a"])
            {
                libraries.LoadArchive(Ask(ctx, "--print-file-name=" + name, name));
            }
        }
    }

    /// <summary>Asks the host's compiler for the path of a library; "none" if it can't say (findLibPathCmd).</summary>
    public static string Ask(LinkContext ctx, string question, string library)
    {
        IReadOnlyList<string> compiler = Finish.HostLinker.ProgramOf(ctx.Options);
        List<string> arguments = [.. compiler.Skip(1), .. ctx.Target.Cpu.HostCompilerArguments(ctx.Target), question];
        if (ctx.Diagnostics.Verbosity > 0)
        {
            ctx.Diagnostics.Log($"[{string.Join(' ', compiler)}] [{string.Join(' ', arguments)}]");
        }
        string failure;
        string answer = "";
        try
        {
            ProcessStartInfo start = new(compiler[0], arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
            using Process process = Process.Start(start) ?? throw new Win32Exception();
            process.ErrorDataReceived += static (_, _) => { };
            process.BeginErrorReadLine();
            answer = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode == 0)
            {
                return answer.Trim();
            }
            failure = $"exit status {process.ExitCode}";
        }
        catch (Win32Exception e)
        {
            failure = e.Message;
        }
        if (ctx.Diagnostics.Verbosity > 0)
        {
            ctx.Diagnostics.Log($"not using a {library} file because compiler failed\n{failure}\n{answer}");
        }
        return None;
    }

    /// <summary>Loads those members of an archive that define something missing, until none does (hostArchive).</summary>
    private unsafe void LoadArchive(string path)
    {
        if (path == None)
        {
            return;
        }
        if (_ctx.Diagnostics.Verbosity > 1)
        {
            _ctx.Diagnostics.Log($"hostArchive({path})");
        }
        if (!InputStore.Shared.TryOpen(path, out InputFile? file, out string? error))
        {
            if (Path.Exists(path))
            {
                throw new LinkException($"cannot open file {path}: {error}");
            }
            // Not every host has the library.
            if (_ctx.Diagnostics.Verbosity > 0)
            {
                _ctx.Diagnostics.Log($"skipping libgcc file: {error}");
            }
            return;
        }
        if (file.Length < ArchiveReader.Magic.Length)
        {
            throw new LinkException($"file {path} too short");
        }
        if (!file.Span(0, ArchiveReader.Magic.Length).SequenceEqual(ArchiveReader.Magic))
        {
            throw new LinkException($"{path} is not an archive file");
        }
        List<ArchiveMember> members = ArchiveReader.Members(file.Base, file.Length, path);
        Dictionary<string, long> definers = ReadMap(path, file, members, HasUnderscores);
        Dictionary<long, ArchiveMember> byOffset = [];
        foreach (ArchiveMember member in members)
        {
            byOffset[member.Offset - ArchiveReader.HeaderSize] = member;
        }

        string package = Path.GetFileName(path);
        int extension = package.LastIndexOf(".a", StringComparison.Ordinal);
        Package library = new() { Path = extension < 0 ? package : package[..extension], File = path, ObjectRef = "", SourceRef = "" };
        HashSet<long> loaded = [];
        while (true)
        {
            List<long> wanted = [];
            foreach (SymbolId s in Missing())
            {
                if (!IsImportVariable(s) && definers.TryGetValue(_ctx.Symbols.NameText(s), out long offset) && loaded.Add(offset))
                {
                    wanted.Add(offset);
                }
            }
            if (wanted.Count == 0)
            {
                return;
            }
            foreach (long offset in wanted)
            {
                if (!byOffset.TryGetValue(offset, out ArchiveMember member))
                {
                    throw new LinkException($"{path} missing archive entry at offset {offset}");
                }
                MemberKind kind = ParsedFile.Recognize(file.Span(member.Offset, (int)Math.Min(member.Length, 4)));
                if (kind is MemberKind.Unknown or MemberKind.GoObject)
                {
                    _ctx.Diagnostics.Error($"{path} unrecognized object file at offset {offset}");
                    continue;
                }
                ParsedMember parsed = new() { Kind = kind, DisplayName = $"{path}({member.Name})", Offset = member.Offset, Length = member.Length };
                _loader.Load(new HostObject(kind, library.Path, library, file, parsed));
            }
        }
    }

    /// <summary>The archive's own list of symbols: from names to the offset of the header of the member that defines each.</summary>
    private static Dictionary<string, long> ReadMap(string path, InputFile file, List<ArchiveMember> members, bool hasUnderscores)
    {
        if (members.Count == 0 || members[0].Name is not ("/" or "/SYM64/"))
        {
            throw new LinkException($"{path} missing armap");
        }
        int word = members[0].Name == "/" ? 4 : 8;
        ReadOnlySpan<byte> map = file.Span(members[0].Offset, checked((int)members[0].Length));
        if (map.Length < word || Number(map) > (ulong)(map.Length / word))
        {
            throw new LinkException($"short read from {path}");
        }
        int count = (int)Number(map);
        ReadOnlySpan<byte> offsets = map[word..];
        ReadOnlySpan<byte> names = map[((count + 1) * word)..];
        Dictionary<string, long> definers = new(StringComparer.Ordinal);
        for (int i = 0; i < count; i++)
        {
            int end = names.IndexOf((byte)0);
            if (end < 0)
            {
                throw new LinkException($"short read from {path}");
            }
            ReadOnlySpan<byte> name = hasUnderscores && end > 1 && names[0] == (byte)'_' ? names[1..end] : names[..end];
            definers[Encoding.UTF8.GetString(name)] = (long)Number(offsets[(i * word)..]);
            names = names[(end + 1)..];
        }
        return definers;

        ulong Number(ReadOnlySpan<byte> at) => word == 4 ? BinaryPrimitives.ReadUInt32BigEndian(at) : BinaryPrimitives.ReadUInt64BigEndian(at);
    }

    /// <summary>
    /// The symbols that are referred to but that only host objects know, in the order of the symbols that refer to them
    /// (UndefinedRelocTargets); repeats included.
    /// </summary>
    private List<SymbolId> Missing()
    {
        const int Piece = 1 << 14;
        SymbolTable symbols = _ctx.Symbols;
        HashSet<SymbolId> unknown = [];
        for (int i = symbols.ExternalStart; i > 0 && i < symbols.Count; i++)
        {
            SymbolId s = new(i);
            if (symbols.Kind(s) == SymbolKind.XRef && !symbols.Name(s).SequenceEqual(".got"u8))
            {
                unknown.Add(s);
            }
        }
        List<SymbolId> missing = [];
        if (unknown.Count == 0)
        {
            return missing;
        }
        List<SymbolId>?[] found = new List<SymbolId>?[(symbols.Count / Piece) + 1];
        _ctx.Workers.ForChunks(symbols.Count, Piece, (from, to, _) =>
        {
            for (int i = Math.Max(from, 1); i < to; i++)
            {
                RelocList relocs = symbols.Relocs(new SymbolId(i));
                for (int r = 0; r < relocs.Count; r++)
                {
                    SymbolId target = relocs.Target(r);
                    if (unknown.Contains(target))
                    {
                        (found[from / Piece] ??= []).Add(target);
                    }
                }
            }
        });
        foreach (List<SymbolId>? piece in found)
        {
            missing.AddRange(piece ?? []);
        }
        return missing;
    }
}
