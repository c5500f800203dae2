using AotLinker.Finish;
using AotLinker.Hashing;
using AotLinker.Load;
using AotLinker.Objects;

namespace AotLinker.Formats.Elf;

/// <summary>
/// What a Go shared library says of itself in notes, for links against it, and how such a link names libraries to the external linker (the
/// parts of doelf, asmbElf, address and hostlink for -buildmode=shared and -linkshared).
/// </summary>
internal sealed partial class ElfFormat
{
    private const string AbiHashSection = ".note.go.abihash";
    private const string PackageListSection = ".note.go.pkg-list";
    private const string DependenciesSection = ".note.go.deps";
    private static ReadOnlySpan<byte> AbiHashSymbol => "go:link.abihashbytes"u8;

    /// <inheritdoc/>
    public override uint AbsoluteRelocation => _cpu.ObjectRelocation(new ElfRelocationRequest(RelocKind.Addr, _encoding.Is64 ? 8 : 4))?.Type ?? 0;

    private void AddLibraryNotes(LinkContext ctx)
    {
        // The runtime compares the hash with what other modules were linked against: the symbol is a part of the note.
        SymbolId bytes = ctx.Symbols.LookupOrCreate(AbiHashSymbol, 0);
        ctx.Symbols.Update(bytes).SetKind(SymbolKind.RoData).SetSize(ctx.Release.AbiHashSize)
            .Set(SymbolTable.Attributes.Local | SymbolTable.Attributes.Special).SetReachable();
        ctx.Packages = [.. ctx.Packages.OrderBy(p => p.Path, Comparer<string>.Create(static (a, b) => RawText.Encode(a).AsSpan().SequenceCompareTo(RawText.Encode(b))))];
        AddNote(ctx, ElfNoteSection.AbiHash(AbiHash(ctx.Packages)[..ctx.Release.AbiHashSize]));
        AddNote(ctx, ElfNoteSection.PackageList(PackageList(ctx)));
        AddNote(ctx, ElfNoteSection.Dependencies(RawText.Encode(string.Join('\n', (ctx.SharedLibraries?.All ?? []).Select(l => l.Name)))));
    }

    /// <summary>The hash of what packages export, in the given order, at its full length.</summary>
    public static byte[] AbiHash(IReadOnlyList<Package> packages)
    {
        Sha256 hash = ToolHash.New32();
        Span<byte> fingerprint = stackalloc byte[sizeof(ulong)];
        foreach (Package package in packages)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteUInt64LittleEndian(fingerprint, package.Fingerprint);
            hash.Update(fingerprint);
        }
        byte[] digest = new byte[Sha256.DigestSize];
        hash.Finish(digest);
        return digest;
    }

    private static byte[] PackageList(LinkContext ctx)
    {
        List<byte> list = [];
        for (int i = 0; i < ctx.Options.Arguments.Count; i++)
        {
            list.AddRange(RawText.Encode(ctx.Options.CommandLinePackage(i).Path));
            list.Add((byte)'\n');
        }
        return [.. list];
    }

    private void DescribeLibraryNotes()
    {
        _headers.Section(PackageListSection).Type = ElfSectionType.Note;
        ElfSectionHeader hash = _headers.Section(AbiHashSection);
        hash.Type = ElfSectionType.Note;
        hash.Flags = ElfSectionFlags.Alloc;
        _headers.Section(DependenciesSection).Type = ElfSectionType.Note;
    }

    // Behind the note's head and its name.
    private static void PlaceAbiHash(LinkContext ctx)
    {
        const int NoteHead = 16;
        if (ctx.Target.BuildMode != BuildMode.Shared)
            return;
        SymbolTable symbols = ctx.Symbols;
        int section = symbols.SectionIndex(symbols.Lookup(System.Text.Encoding.ASCII.GetBytes(AbiHashSection), 0));
        SymbolId bytes = symbols.Lookup(AbiHashSymbol, 0);
        symbols.SetSectionIndex(bytes, section);
        symbols.SetValue(bytes, (long)ctx.Sections[section]!.Vaddr + NoteHead);
    }

    // Each library and those it depends on, and the folders where they are, also for when the program is run.
    private void AddSharedLibraries(LinkContext ctx, List<string> command)
    {
        if (ctx.SharedLibraries is not { } libraries)
            return;
        HashSet<string> folders = new(StringComparer.Ordinal), names = new(StringComparer.Ordinal);
        foreach (SharedLibrary library in libraries.All)
        {
            Add(library.Path);
            foreach (string dependency in library.Dependencies)
                Add(SharedLibraries.Find(ctx, dependency));
        }

        void Add(string path)
        {
            int slash = path.LastIndexOf('/') + 1;
            string folder = path[..slash], name = path[slash..];
            if (folders.Add(folder))
            {
                command.Add("-L" + folder);
                if (ctx.Options.RunPath is null)
                    command.Add("-Wl,-rpath=" + folder);
            }
            if (name.EndsWith(".so", StringComparison.Ordinal))
                name = name[..^3];
            if (name.StartsWith("lib", StringComparison.Ordinal))
                name = name[3..];
            if (names.Add(name))
                command.Add("-l" + name);
        }
    }
}
