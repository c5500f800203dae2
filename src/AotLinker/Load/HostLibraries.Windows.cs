using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Load;

/// <summary>The libraries of the mingw project, which host objects for Windows expect (loadWindowsHostArchives).</summary>
internal sealed partial class HostLibraries
{
    // C's names begin with an underscore there, which we drop as the objects' reader does.
    private bool HasUnderscores => _ctx.Target.HeadType == HeadType.Windows && _ctx.Target.Cpu.Pe is { HasUnderscores: true };

    private void LoadWindowsLibraries()
    {
        // The libraries refer to each other, so compilers name them twice.
        for (int round = 0; round < 2 && (round == 0 || Missing().Count != 0); round++)
        {
            if (IsMissing("atexit"u8))
                LoadObject("crt2", Ask(_ctx, "--print-file-name=crt2.o", "crt2.o"));
            if (_ctx.Options.Race)
                LoadArchive(Ask(_ctx, "--print-file-name=libsynchronization.a", "libsynchronization.a"));
            foreach (string name in (string[])["libmingwex.a", "libmingw32.a", "libmsvcrt.a"])
                LoadArchive(Ask(_ctx, "--print-file-name=" + name, name));
        }

        // Lists that linkers make of all constructors and destructors: here there are none.
        DefineEmptyList("__CTOR_LIST__"u8);
        DefineEmptyList("__DTOR_LIST__"u8);
        _loader.ResolveImports();
    }

    private void DefineEmptyList(ReadOnlySpan<byte> name)
    {
        if (!IsMissing(name))
            return;
        SymbolBuilder list = _ctx.Symbols.Update(name, 0).SetKind(SymbolKind.Data);
        list.AddUInt64(0);
        list.Set(SymbolTable.Attributes.Special);
    }

    private bool IsMissing(ReadOnlySpan<byte> name)
    {
        foreach (SymbolId s in Missing())
        {
            if (_ctx.Symbols.Name(s).SequenceEqual(name))
                return true;
        }
        return false;
    }

    /// <summary>Whether a symbol is the variable of an imported function, which no library need define (pruneUndefsForWindows).</summary>
    private bool IsImportVariable(SymbolId s)
    {
        ReadOnlySpan<byte> prefix = "__imp_"u8;
        if (_ctx.Target.HeadType != HeadType.Windows || !_ctx.Symbols.Name(s).StartsWith(prefix))
            return false;
        SymbolId function = _ctx.Symbols.Lookup(_ctx.Symbols.Name(s)[prefix.Length..], 0);
        return !function.IsNone && _ctx.Symbols.Kind(function) == SymbolKind.DynImport;
    }

    /// <summary>Loads an object that isn't part of an archive (hostObject).</summary>
    private void LoadObject(string name, string path)
    {
        if (path == None)
            return;
        if (_ctx.Diagnostics.Verbosity > 1)
            _ctx.Diagnostics.Log($"hostObject({path})");
        if (!InputStore.Shared.TryOpen(path, out InputFile? file, out string? error))
            throw new LinkException($"cannot open host object {Cli.GoText.Quote(name)} file {path}: {error}");
        MemberKind kind = ParsedFile.Recognize(file.Span(0, (int)Math.Min(file.Length, 4)));
        if (kind is MemberKind.Unknown or MemberKind.GoObject)
            throw new LinkException($"unrecognized object file format in {path}");
        Package package = new() { Path = name, File = path, ObjectRef = "", SourceRef = "" };
        ParsedMember member = new() { Kind = kind, DisplayName = path, Offset = 0, Length = file.Length };
        _loader.Load(new HostObject(kind, name, package, file, member));
    }
}
