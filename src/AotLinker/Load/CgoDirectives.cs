using System.Text.Json;
using AotLinker.Objects;

namespace AotLinker.Load;

/// <summary>The cgo directives of one object: lists of words, the verb first.</summary>
/// <param name="File">The object, for messages.</param>
/// <param name="Prefix">Escaped path of its package.</param>
/// <param name="Directives">The directives in file order.</param>
internal sealed record CgoDirectives(string File, string Prefix, List<string[]> Directives)
{
    /// <summary>Reads the JSON array of arrays of strings that the compiler writes.</summary>
    public static bool TryParse(ReadOnlySpan<byte> json, out List<string[]> directives, out string error)
    {
        directives = [];
        error = "";
        try
        {
            Utf8JsonReader reader = new(json, isFinalBlock: true, default);
            Expect(ref reader, JsonTokenType.StartArray);
            while (reader.Read() && reader.TokenType == JsonTokenType.StartArray)
            {
                List<string> words = [];
                while (reader.Read() && reader.TokenType == JsonTokenType.String)
                {
                    words.Add(reader.GetString()!);
                }
                if (reader.TokenType != JsonTokenType.EndArray)
                {
                    throw new JsonException("directive is not a list of strings");
                }
                directives.Add([.. words]);
            }
            if (reader.TokenType != JsonTokenType.EndArray)
            {
                throw new JsonException("unexpected end of JSON input");
            }
            return true;
        }
        catch (JsonException e)
        {
            error = e.Message;
            return false;
        }
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type)
    {
        if (!reader.Read() || reader.TokenType != type)
        {
            throw new JsonException("not a list of directives");
        }
    }

    /// <summary>
    /// Carries out the directives of all objects: dynamic imports, exports, host symbols, the interpreter (ld.loadcgodirectives,
    /// setCgoAttr).
    /// </summary>
    public static void Apply(LinkContext ctx, Diagnostics diagnostics, IEnumerable<CgoDirectives> all)
    {
        SortedSet<SymbolId> hostSymbols = [];
        foreach (CgoDirectives d in all)
        {
            new Applier(ctx, diagnostics, d, hostSymbols).Run();
        }
        if (!ctx.Target.IsInternal)
        {
            return;
        }
        // Static imports are resolved by the host objects we load; what is imported dynamically as well is just that.
        foreach (SymbolId s in hostSymbols)
        {
            if (ctx.Symbols.Kind(s) == SymbolKind.HostObj)
            {
                bool isDynamic = ctx.Symbols.OutputName(s).Length != 0 && ctx.Symbols.DynamicLibrary.TryGetValue(s, out string? library) && library.Length != 0
                    && !ctx.Symbols.CgoExportStatic.Contains(s) && !ctx.Symbols.CgoExportDynamic.Contains(s);
                ctx.Symbols.Update(s).SetKind(isDynamic ? SymbolKind.DynImport : SymbolKind.None);
            }
        }
    }

    private readonly ref struct Applier(LinkContext ctx, Diagnostics diagnostics, CgoDirectives source, SortedSet<SymbolId> hostSymbols)
    {
        private readonly SymbolTable _symbols = ctx.Symbols;

        public void Run()
        {
            foreach (string[] words in source.Directives)
            {
                bool ok = (words.Length > 0 ? words[0] : "") switch
                {
                    "cgo_import_dynamic" when words.Length is >= 2 and <= 4 => ImportDynamic(words),
                    "cgo_import_static" when words.Length == 2 => ImportStatic(words),
                    "cgo_export_static" or "cgo_export_dynamic" when words.Length is >= 2 and <= 4 => Export(words),
                    "cgo_dynamic_linker" when words.Length == 2 => DynamicLinker(words),
                    "cgo_ldflag" when words.Length == 2 => LinkerFlag(words),
                    _ => Invalid(words),
                };
                if (!ok)
                {
                    return;
                }
            }
        }

        private string Place => $"{diagnostics.ProgramName}: {source.File}";

        private static string List(string[] words) => "[" + string.Join(" ", words.Select(Cli.GoText.Quote)) + "]";

        private bool Fail(string text)
        {
            diagnostics.Error(text);
            return false;
        }

        // An unknown directive is an error, but the ones after it still count.
        private bool Invalid(string[] words)
        {
            diagnostics.Error($"{Place}: invalid cgo directive: {List(words)}");
            return true;
        }

        private bool ImportDynamic(string[] words)
        {
            string local = words[1], remote = words.Length > 2 ? words[2] : local, library = words.Length > 3 ? words[3] : "";
            if (HasComma(local) || HasComma(remote))
            {
                return Fail($"{Place}: invalid symbol in cgo_import_dynamic directive: {List(words)}");
            }
            if (ctx.Settings.NoDynamic)
            {
                return Fail($"{Place}: cannot use dynamic imports with -d flag");
            }
            if (local == "_" && remote == "_")
            {
                ctx.HasDynamicImports = true;
                ctx.DynamicLibraries.Add(library);
                ctx.Format.LibraryNamed(ctx, library);
                return true;
            }
            string version = "";
            int hash = remote.IndexOf('#');
            if (hash >= 0)
            {
                version = remote[(hash + 1)..];
                remote = remote[..hash];
            }
            SymbolId s = _symbols.LookupOrCreate(Bytes(local), 0);
            if (ctx.Release.ExportsOverrideLaterImports && IsExported(s))
            {
                return true;
            }
            SymbolKind kind = _symbols.Kind(s);
            if (kind is SymbolKind.None or SymbolKind.XRef or SymbolKind.Bss or SymbolKind.NoPtrBss or SymbolKind.HostObj)
            {
                SetOrClear(_symbols.DynamicLibrary, s, library);
                SetOrClear(_symbols.ExternalNames, s, remote);
                SetOrClear(_symbols.DynamicVersion, s, version);
                if (kind != SymbolKind.HostObj)
                {
                    _symbols.Update(s).SetKind(SymbolKind.DynImport);
                }
                else
                {
                    hostSymbols.Add(s);
                }
                ctx.HasDynamicImports = true;
                if (library.Length != 0)
                {
                    ctx.Format.LibraryNamed(ctx, library);
                }
            }
            return true;
        }

        private bool ImportStatic(string[] words)
        {
            if (HasComma(words[1]))
            {
                return Fail($"{Place}: invalid symbol in cgo_import_static directive: {List(words)}");
            }
            SymbolBuilder b = _symbols.Update(_symbols.LookupOrCreate(Bytes(words[1]), 0));
            b.SetKind(SymbolKind.HostObj).SetSize(0);
            hostSymbols.Add(b.Symbol);
            return true;
        }

        private bool Export(string[] words)
        {
            string local = words[1], remote = words.Length > 2 ? words[2] : local;
            if (HasComma(local) || HasComma(remote))
            {
                return Fail($"{Place}: invalid symbol in {words[0]} directive: {List(words)}");
            }
            int version = 0;
            if (words.Length > 3)
            {
                if (words[3] is not ("ABI0" or "ABIInternal"))
                {
                    return Fail($"{diagnostics.ProgramName}: bad ABI in cgo_export directive {List(words)}");
                }
                version = words[3] == "ABIInternal" ? _symbols.AbiInternalVersion : 0;
            }
            SymbolId s = _symbols.LookupOrCreate(Bytes(local), version);
            if (_symbols.Kind(s) == SymbolKind.HostObj)
            {
                hostSymbols.Add(s);
            }
            if (ctx.Target.BuildMode is BuildMode.CShared or BuildMode.CArchive or BuildMode.Plugin && s == _symbols.Lookup("main"u8, 0))
            {
                return true;
            }
            // An export overrides an import seen before it.
            if (_symbols.DynamicLibrary.ContainsKey(s)
                || (ctx.Release.ExportsOverrideLaterImports && _symbols.Kind(s) == SymbolKind.DynImport))
            {
                _symbols.DynamicLibrary.Remove(s);
                _symbols.DynamicVersion.Remove(s);
                _symbols.ExternalNames.Remove(s);
                _symbols.Update(s).SetKind(SymbolKind.None);
            }
            if (!IsExported(s))
            {
                SetOrClear(_symbols.ExternalNames, s, remote);
            }
            else if (_symbols.OutputName(s) != remote)
            {
                return Fail($"{diagnostics.ProgramName}: conflicting cgo_export directives: {_symbols.NameText(s)} as {_symbols.OutputName(s)} and {remote}");
            }
            if (words[0] == "cgo_export_static")
            {
                if (ctx.Target.IsExternal && !_symbols.CgoExportStatic.Contains(s))
                {
                    ctx.DynamicExports.Add(s);
                }
                if (ctx.Target.IsInternal)
                {
                    _symbols.CgoExportNames[local] = s;
                }
                _symbols.CgoExportStatic.Add(s);
            }
            else
            {
                if (ctx.Target.IsInternal && !_symbols.CgoExportDynamic.Contains(s))
                {
                    ctx.DynamicExports.Add(s);
                }
                _symbols.CgoExportDynamic.Add(s);
            }
            return true;
        }

        private bool DynamicLinker(string[] words)
        {
            if (HasComma(words[1]))
            {
                return Fail($"{Place}: invalid path in cgo_dynamic_linker directive: {List(words)}");
            }
            if (ctx.Settings.InterpreterFromFlag)
            {
                return true;
            }
            if (ctx.Settings.Interpreter.Length != 0 && ctx.Settings.Interpreter != words[1])
            {
                return Fail($"{diagnostics.ProgramName}: conflict dynlinker: {ctx.Settings.Interpreter} and {words[1]}");
            }
            ctx.Settings.Interpreter = words[1];
            return true;
        }

        private bool LinkerFlag(string[] words)
        {
            ctx.ExternalLinkerFlags.Add(words[1]);
            return true;
        }

        // An external linker would take what follows a comma for another argument.
        private bool HasComma(string name) => ctx.Release.RefusesCommasInCgoDirectives && name.Contains(',');

        private bool IsExported(SymbolId s) => _symbols.CgoExportStatic.Contains(s) || _symbols.CgoExportDynamic.Contains(s);

        private static byte[] Bytes(string s) => System.Text.Encoding.UTF8.GetBytes(s);

        private static void SetOrClear(Dictionary<SymbolId, string> map, SymbolId s, string value)
        {
            if (value.Length == 0)
            {
                map.Remove(s);
            }
            else
            {
                map[s] = value;
            }
        }
    }
}
