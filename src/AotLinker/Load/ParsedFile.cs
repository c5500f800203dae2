using AotLinker.Cli;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Load;

/// <summary>What a member of a package file is.</summary>
internal enum MemberKind
{
    /// <summary>A Go object.</summary>
    GoObject,
    /// <summary>An object of the host's compiler, ELF.</summary>
    HostElf,
    /// <summary>Mach-O.</summary>
    HostMachO,
    /// <summary>PE.</summary>
    HostPe,
    /// <summary>XCOFF.</summary>
    HostXcoff,
    /// <summary>None of these.</summary>
    Unknown,
}

/// <summary>One object found in a package file, not yet part of the link.</summary>
internal sealed class ParsedMember
{
    /// <summary>What it is.</summary>
    public required MemberKind Kind { get; init; }

    /// <summary>"archive(member)", or the file itself when it is no archive.</summary>
    public required string DisplayName { get; init; }

    /// <summary>Offset of the member in the file.</summary>
    public required long Offset { get; init; }

    /// <summary>Length of the member.</summary>
    public required long Length { get; init; }

    /// <summary>The header line of a Go object, without its end.</summary>
    public string Header { get; init; } = "";

    /// <summary>Offset of the text between the header and the object proper: the package data.</summary>
    public long PackageDataOffset { get; init; }

    /// <summary>Length of the package data.</summary>
    public long PackageDataLength { get; init; }

    /// <summary>Whether the package data says that this is a main package.</summary>
    public bool DeclaresMain { get; init; }

    /// <summary>Where in the package data the line end before the section of cgo directives is; negative if there is none.</summary>
    public int CgoSection { get; init; } = -1;

    /// <summary>Offset of the Go object proper.</summary>
    public long ObjectOffset { get; init; }

    /// <summary>The Go object; null if there is none, or it is damaged.</summary>
    public GoObject? Object { get; init; }

    /// <summary>The imports of the Go object.</summary>
    public ObjectImport[] Imports { get; init; } = [];

    /// <summary>How the Go object is damaged: thrown when the package turns out to be part of the link.</summary>
    public LinkException? Damage { get; init; }

    /// <summary>What is wrong with it: reported when the package turns out to be part of the link.</summary>
    public string? Error { get; init; }

    /// <summary>Whether it stems from a .syso file and is not of a host's compiler.</summary>
    public bool IsForeignSyso { get; init; }

    /// <summary>Whether the error ends the link at once.</summary>
    public bool IsFatal { get; init; }
}

/// <summary>What an object imports.</summary>
/// <param name="Line">The line of the import configuration that names the package's file; negative for none.</param>
/// <param name="Fingerprint">The fingerprint that the package is expected to have.</param>
internal readonly record struct ObjectImport(int Line, ulong Fingerprint);

/// <summary>
/// A package file, mapped and taken apart. Any thread may make one before it is known whether the package is part of the link, so what
/// is wrong with it waits until it is.
/// </summary>
internal sealed class ParsedFile
{
    // The header of an object that was read last.
    private static string? _header;

    private ParsedFile(string path)
    {
        Path = path;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The mapped file; null if it could not be opened.</summary>
    public InputFile? File { get; private set; }

    /// <summary>What is wrong with the file as a whole.</summary>
    public LinkException? Failure { get; private set; }

    /// <summary>The objects, in file order.</summary>
    public List<ParsedMember> Members { get; } = [];

    /// <summary>Whether the archive says that cgo could not write its dynamic imports (member dynimportfail).</summary>
    public bool DynamicImportFailed { get; private set; }

    /// <summary>Whether the archive asks for external linking by default (member preferlinkext).</summary>
    public bool PrefersExternalLink { get; private set; }

    /// <summary>Opens and takes apart a file.</summary>
    public static ParsedFile Parse(string path, ImportConfig? config)
    {
        ParsedFile parsed = Open(path);
        parsed.File?.Advise(0, parsed.File.Length, MapAdvice.Present);
        parsed.ReadMembers(config);
        return parsed;
    }

    /// <summary>
    /// Maps a file; <see cref="InputStore.MakePresent"/> and <see cref="ReadMembers"/> follow. Of many files, all are best mapped before the first is
    /// made present, for threads that do the one wait for those that do the other; and all made present before the first is read: a
    /// hypervisor that keeps page tables of its own drops what it has of one, and with it pages that were touched, when the system adds to it.
    /// </summary>
    public static ParsedFile Open(string path)
    {
        ParsedFile parsed = new(path);
        try
        {
            parsed.File = InputFile.Open(path, FirstObject);
        }
        catch (LinkException e)
        {
            parsed.Failure = e;
        }
        return parsed;
    }

    // Nobody reads the package data, the first member of a package's archive; behind it are objects to the end.
    private static long FirstObject(ReadOnlySpan<byte> head) =>
        head.StartsWith(ArchiveReader.Magic) && head[ArchiveReader.Magic.Length..].StartsWith("__.PKGDEF "u8) ? ArchiveReader.SecondMember(head) : 0;

    /// <summary>
    /// Takes the file apart, if it could be opened (loadobjfile, ldobj's recognition), and looks up what its objects import: the walk along
    /// imports, which one thread does, then reads nothing of a map.
    /// </summary>
    public unsafe void ReadMembers(ImportConfig? config)
    {
        if (File is not { } file)
        {
            return;
        }
        try
        {
            if (!file.Head.StartsWith(ArchiveReader.Magic))
            {
                Members.Add(ParseMember(file, config, Path, Path, 0, file.Length));
                return;
            }
            foreach (ArchiveMember member in ArchiveReader.Members(file.Base, file.Length, Path, file.Head))
            {
                AddMember(file, config, member);
            }
        }
        catch (LinkException e)
        {
            Failure = e;
        }
    }

    private void AddMember(InputFile file, ImportConfig? config, ArchiveMember member)
    {
        switch (member.Name)
        {
            case "__.PKGDEF":
                return;
            case "dynimportfail":
                DynamicImportFailed = true;
                break;
            case "preferlinkext":
                PrefersExternalLink = true;
                break;
        }
        // Tools add members that are no objects; their names are short enough to show their suffix whole.
        if (member.Name.Length < 16 && !member.Name.EndsWith(".o", StringComparison.Ordinal) && !member.Name.EndsWith(".syso", StringComparison.Ordinal))
        {
            return;
        }
        Members.Add(ParseMember(file, config, Path, $"{Path}({member.Name})", member.Offset, member.Length));
    }

    private static unsafe ParsedMember ParseMember(
        InputFile file, ImportConfig? config, string path, string displayName, long offset, long length)
    {
        byte* start = file.Base + offset;
        ReadOnlySpan<byte> head = new(start, (int)Math.Min(length, 4));
        MemberKind kind = Recognize(head);
        bool isSyso = path.EndsWith(".syso", StringComparison.Ordinal) || displayName.EndsWith(".syso", StringComparison.Ordinal)
            || displayName.EndsWith(".syso)", StringComparison.Ordinal);
        if (kind != MemberKind.GoObject)
        {
            return new ParsedMember
            {
                Kind = kind,
                DisplayName = displayName,
                Offset = offset,
                Length = length,
                IsForeignSyso = kind == MemberKind.Unknown && isSyso,
            };
        }

        ParsedMember Broken(string error, bool fatal = false) => new()
        {
            Kind = kind,
            DisplayName = displayName,
            Offset = offset,
            Length = length,
            Error = error,
            IsFatal = fatal,
            IsForeignSyso = isSyso,
        };

        // The header is one short line; a file without one is not worth searching to its end.
        ReadOnlySpan<byte> first = new(start, (int)Math.Min(length, 4096));
        int lineEnd = first.IndexOf((byte)'\n');
        if (lineEnd < 0)
        {
            return Broken($"truncated object file: {displayName}: EOF");
        }
        string header = HeaderText(first[..lineEnd]);
        if (!header.StartsWith("go object ", StringComparison.Ordinal))
        {
            return displayName.EndsWith(".go", StringComparison.Ordinal)
                ? Broken($"{displayName}: uncompiled .go source file", fatal: true)
                : Broken($"{displayName}: not an object file: @{offset} {GoText.Quote(header + "\n")}");
        }
        long end = FindPackageDataEnd(start, lineEnd + 1, length);
        if (end < 0)
        {
            return Broken($"truncated object file: {displayName}");
        }
        int cgo = -1;
        bool isMain = end - (lineEnd + 1) <= int.MaxValue && ReadPackageData(new(start + lineEnd + 1, (int)(end - (lineEnd + 1))), out cgo);
        GoObject? o = null;
        LinkException? damage = null;
        ObjectImport[] imports = [];
        try
        {
            o = new GoObject(start + end + 2, length - (end + 2), displayName);
            imports = FindImports(o, config);
        }
        catch (LinkException e)
        {
            damage = e;
        }
        return new ParsedMember
        {
            Object = o,
            Imports = imports,
            Damage = damage,
            Kind = kind,
            DisplayName = displayName,
            Offset = offset,
            Length = length,
            Header = header,
            PackageDataOffset = offset + lineEnd + 1,
            PackageDataLength = end - (lineEnd + 1),
            DeclaresMain = isMain,
            CgoSection = cgo,
            IsForeignSyso = isSyso,
            ObjectOffset = offset + end + 2,
        };
    }

    private static ObjectImport[] FindImports(GoObject o, ImportConfig? config)
    {
        ObjectImport[] imports = new ObjectImport[o.AutolibCount];
        for (int i = 0; i < imports.Length; i++)
        {
            ReadOnlySpan<byte> path = o.Autolib(i, out ulong fingerprint);
            imports[i] = new ObjectImport(config?.Find(path) ?? -1, fingerprint);
        }
        return imports;
    }

    // One string for all, as a rule.
    private static string HeaderText(ReadOnlySpan<byte> line)
    {
        string? known = Volatile.Read(ref _header);
        if (known is null || !System.Text.Ascii.Equals(line, known))
        {
            known = System.Text.Encoding.UTF8.GetString(line);
            Volatile.Write(ref _header, known);
        }
        return known;
    }

    // Header lines up to an empty one, "main" among them for a main package, then sections, one of which may hold cgo directives (ldpkg).
    private static bool ReadPackageData(ReadOnlySpan<byte> data, out int cgoSection)
    {
        bool isMain = false;
        ReadOnlySpan<byte> rest = data;
        while (!rest.IsEmpty)
        {
            int end = rest.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            isMain |= line.SequenceEqual("main"u8);
            if (line.IsEmpty)
            {
                break;
            }
        }
        int at = rest.IndexOf("\n$$  // cgo"u8);
        cgoSection = at < 0 ? -1 : data.Length - rest.Length + at;
        return isMain;
    }

    /// <summary>
    /// Offset of the "!\n" line that ends the package data, from a line start outside "$$" sections; -1 if there is none. A "\n!\n" inside
    /// a section is data.
    /// </summary>
    private static unsafe long FindPackageDataEnd(byte* p, long from, long length)
    {
        int markers = 0;
        for (long line = from; line < length;)
        {
            ReadOnlySpan<byte> rest = new(p + line, (int)Math.Min(length - line, int.MaxValue));
            if (rest.Length >= 2 && rest[0] == '!' && rest[1] == '\n' && (markers & 1) == 0)
            {
                return line;
            }
            if (rest.Length >= 2 && rest[0] == '$' && rest[1] == '$')
            {
                markers++;
            }
            int end = rest.IndexOf((byte)'\n');
            if (end < 0)
            {
                return -1;
            }
            line += end + 1;
        }
        return -1;
    }

    /// <summary>What a member is, by its first four bytes.</summary>
    public static MemberKind Recognize(ReadOnlySpan<byte> head)
    {
        if (head.Length < 4)
        {
            return MemberKind.Unknown;
        }
        if (head.SequenceEqual("\u007fELF"u8))
        {
            return MemberKind.HostElf;
        }
        uint magic = System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(head);
        if ((magic & ~1u) == 0xfeedface || (magic & ~0x01000000u) == 0xcefaedfe)
        {
            return MemberKind.HostMachO;
        }
        if ((magic >> 16) is 0x4c01 or 0x6486 or 0xc401 or 0x64aa)
        {
            return MemberKind.HostPe;
        }
        if (head[0] == 1 && head[1] is 0xd7 or 0xf7)
        {
            return MemberKind.HostXcoff;
        }
        return head.SequenceEqual("go o"u8) ? MemberKind.GoObject : MemberKind.Unknown;
    }
}
