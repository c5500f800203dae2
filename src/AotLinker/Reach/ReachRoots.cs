using System.Text;
using AotLinker.Load;
using AotLinker.Objects;

namespace AotLinker.Reach;

/// <summary>Why a symbol is live without anything that refers to it.</summary>
internal enum RootKind : byte
{
    /// <summary>The program or library starts there.</summary>
    Entry,
    /// <summary>What the runtime calls in the place of a dead method.</summary>
    DeadMethod,
    /// <summary>The list of the packages' initialisers.</summary>
    InitTasks,
    /// <summary>What a plugin gives to the program that loads it.</summary>
    Plugin,
    /// <summary>Exported dynamically.</summary>
    DynamicExport,
    /// <summary>Exported to WebAssembly's host.</summary>
    WasmExport,
    /// <summary>Part of a shared library, which keeps all that it has.</summary>
    Library,
}

/// <summary>What reach starts from (deadcodePass.init), one symbol after the other, some more than once.</summary>
internal static class ReachRoots
{
    /// <summary>Names all roots of a link.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="pluginPath">Import path of the plugin that is built.</param>
    /// <param name="log">Takes the lines of the link trace; null for none.</param>
    /// <param name="root">Takes the roots. May be none.</param>
    public static void Visit(LinkContext ctx, string pluginPath, Action<string>? log, Action<SymbolId, RootKind> root)
    {
        SymbolTable symbols = ctx.Symbols;
        if (ctx.Target.BuildMode == BuildMode.Shared)
        {
            for (int i = 1; i < (symbols.ExternalStart == 0 ? symbols.Count : symbols.ExternalStart); i++)
            {
                SymbolId s = new(i);
                // A text symbol without size is a function the compiler dropped.
                if (!symbols.Kind(s).IsText() || symbols.Size(s) != 0)
                {
                    root(s, RootKind.Library);
                }
            }
            root(ctx.Known.MainInitTasks, RootKind.InitTasks);
            return;
        }

        List<(string Name, RootKind Kind)> names = [];
        if (ctx.Target.IsLinkShared && (ctx.Target.IsExe || ctx.Target.IsPie))
        {
            names.AddRange([("main.main", RootKind.Entry), ("main..inittask", RootKind.InitTasks)]);
        }
        else
        {
            names.Add((ctx.Settings.EntrySymbol, RootKind.Entry));
        }
        names.Add(("runtime.unreachableMethod", RootKind.DeadMethod));
        if (ctx.Target.BuildMode == BuildMode.Plugin)
        {
            string prefix = ImportPath.Escape(pluginPath);
            names.AddRange([(prefix + "..inittask", RootKind.InitTasks), (prefix + ".main", RootKind.Entry), ("go:plugin.tabs", RootKind.Plugin)]);
            // What a plugin exports lives; the list of it does not.
            SymbolId exports = symbols.Lookup("go:plugin.exports"u8, 0);
            if (!exports.IsNone)
            {
                RelocList relocs = symbols.Relocs(exports);
                for (int i = 0; i < relocs.Count; i++)
                {
                    root(relocs.Target(i), RootKind.Plugin);
                }
            }
        }
        log?.Invoke($"deadcode start names: [{string.Join(' ', names.Select(n => n.Name))}]");
        foreach ((string name, RootKind kind) in names)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(name);
            root(symbols.Lookup(bytes, 0), kind);
            if (symbols.AbiInternalVersion != 0)
            {
                root(symbols.Lookup(bytes, symbols.AbiInternalVersion), kind);
            }
        }
        foreach (SymbolId s in ctx.DynamicExports)
        {
            log?.Invoke($"deadcode start dynexp: {symbols.NameText(s)}<{symbols.Version(s)}>");
            root(s, RootKind.DynamicExport);
        }
        foreach (SymbolId s in ctx.WasmExports)
        {
            log?.Invoke($"deadcode start wasmexport: {symbols.NameText(s)}<{symbols.Version(s)}>");
            root(s, RootKind.WasmExport);
        }
        root(ctx.Known.MainInitTasks, RootKind.InitTasks);
    }
}
