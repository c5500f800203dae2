using AotLinker.Load;
using AotLinker.Objects;

namespace AotLinker.Synthesize;

/// <summary>
/// What is decided once the live symbols are known (ld.linksetup): the symbols every program has, whether it is linked dynamically,
/// the order of packages and of functions.
/// </summary>
internal static class LinkSetup
{
    /// <summary>Runs the pass.</summary>
    /// <exception cref="LinkException">Packages import each other in a circle, or a symbol is not what it must be.</exception>
    public static void Run(LinkContext ctx)
    {
        MarkBuildMode(ctx);
        ctx.Format.SetUpImage(ctx);
        if (ctx.Target.IsExternal)
        {
            // An object file has no addresses of its own.
            ctx.Settings.TextAddress = 0;
        }
        if (ctx.Target.IsExe && !ctx.HasDynamicImports && !ctx.Target.IsAlwaysDynamic)
        {
            // A dynamic executable that needs no library upsets some loaders; some systems have no other kind.
            ctx.Settings.NoDynamic = true;
        }
        ctx.Target.Cpu.DefineForeignSymbols(ctx);
        DefineTlsVariable(ctx);
        DefineModuleData(ctx);
        ctx.Target.Cpu.DefineImplicitSymbols(ctx);
        ctx.Packages = ImportsFirst(ctx.Packages);
        TextOrder.Run(ctx);
    }

    /// <summary>
    /// The packages in an order in which each follows those it imports; otherwise in the given order (ld.postorder).
    /// </summary>
    /// <exception cref="LinkException">Packages import each other in a circle.</exception>
    public static List<Package> ImportsFirst(List<Package> packages)
    {
        List<Package> order = new(packages.Count);
        List<(Package Package, bool IsFinished)> met = new(packages.Count);
        Stack<(Package Package, int NextImport)> path = new();
        foreach (Package root in packages)
        {
            Visit(root);
            while (path.TryPop(out (Package Package, int NextImport) top))
            {
                (Package package, int next) = top;
                while (next < package.Imports.Count && IsFinished(package.Imports[next]))
                {
                    next++;
                }
                if (next < package.Imports.Count)
                {
                    path.Push((package, next + 1));
                    Visit(package.Imports[next]);
                }
                else
                {
                    met[package.Number] = (package, true);
                    order.Add(package);
                }
            }
        }
        return order;

        // A number means something only if the list has the package there.
        bool HasMet(Package package) => (uint)package.Number < (uint)met.Count && met[package.Number].Package == package;

        bool IsFinished(Package package) => HasMet(package) && met[package.Number].IsFinished;

        void Visit(Package package)
        {
            if (!HasMet(package))
            {
                package.Number = met.Count;
                met.Add((package, false));
                path.Push((package, 0));
            }
            else if (!IsFinished(package))
            {
                throw new LinkException($"found import cycle while visiting {package.Path}");
            }
        }
    }

    // The runtime reads these to learn that it is not the main program.
    private static void MarkBuildMode(LinkContext ctx)
    {
        ReadOnlySpan<byte> flag = ctx.Target.BuildMode switch
        {
            BuildMode.CShared or BuildMode.Plugin => "runtime.islibrary"u8,
            BuildMode.CArchive => "runtime.isarchive"u8,
            _ => default,
        };
        if (!flag.IsEmpty)
        {
            SymbolTable symbols = ctx.Symbols;
            symbols.Update(symbols.LookupOrCreate(flag, 0)).SetKind(SymbolKind.NoPtrData).AddUInt8(1);
        }
    }

    private static void DefineTlsVariable(LinkContext ctx)
    {
        if (!ctx.Target.HasTlsVariable)
        {
            return;
        }
        SymbolTable symbols = ctx.Symbols;
        SymbolId tlsg = symbols.LookupOrCreate("runtime.tlsg"u8, 0);
        SymbolBuilder b = symbols.Update(tlsg).SetReachable();
        if (b.Kind == SymbolKind.None)
        {
            b.SetKind(SymbolKind.TlsBss).SetSize(ctx.Target.PointerSize);
        }
        else if (b.Kind != SymbolKind.DynImport)
        {
            ctx.Diagnostics.Error($"runtime declared tlsg variable {b.Kind.GoName()}");
        }
        ctx.Known.Tlsg = tlsg;
    }

    private static void DefineModuleData(LinkContext ctx)
    {
        SymbolTable symbols = ctx.Symbols;
        bool isPlugin = ctx.Target.BuildMode == BuildMode.Plugin;
        SymbolId moduleData = symbols.LookupOrCreate(isPlugin ? "local.pluginmoduledata"u8 : "runtime.firstmoduledata"u8, 0);
        SymbolBuilder b = symbols.Update(moduleData);
        if (isPlugin)
        {
            b.Set(SymbolTable.Attributes.Local);
        }
        if (b.Kind is not (SymbolKind.None or SymbolKind.DynImport))
        {
            // The runtime is part of this module and declares the variable; symtab writes all of it.
            b.SetSize(0);
            ctx.Target.Cpu.DefineVariant(ctx);

            SymbolId profile = symbols.Lookup("runtime.memProfileInternal"u8, symbols.AbiInternalVersion);
            if (!profile.IsNone && !symbols.IsReachable(profile) && !ctx.Target.IsDynlinkingGo)
            {
                // Nothing can ever read a memory profile, so none need be taken.
                SymbolBuilder disabled = symbols.Update(symbols.LookupOrCreate("runtime.disableMemoryProfiling"u8, 0));
                disabled.SetKind(SymbolKind.NoPtrData).SetSize(0);
                disabled.AddUInt8(1);
            }
        }
        else
        {
            moduleData = symbols.LookupOrCreate("local.moduledata"u8, 0);
            b = symbols.Update(moduleData).Set(SymbolTable.Attributes.Local);
        }
        b.SetKind(ctx.Release.HasModuleDataSection ? SymbolKind.ModuleData : SymbolKind.NoPtrData).SetReachable();
        ctx.ModuleData = moduleData;
    }
}
