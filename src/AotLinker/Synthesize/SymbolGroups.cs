using AotLinker.Objects;

namespace AotLinker.Synthesize;

/// <summary>
/// Creates the symbols that mark where kinds of data begin and end, and puts the many small symbols of the compiler into groups that lie
/// together and appear in the symbol table as one (the first half of ld.symtab).
/// </summary>
internal static class SymbolGroups
{
    private const int Chunk = 1 << 14;

    private const SymbolTable.Attributes Hidden = SymbolTable.Attributes.NotInSymbolTable;

    /// <summary>Runs the pass; sets <see cref="LinkContext.GroupKinds"/>.</summary>
    public static void Run(LinkContext ctx)
    {
        AddEntryToInitArray(ctx);
        DefineMarkers(ctx);
        Carriers carriers = DefineCarriers(ctx);
        int count = ctx.Symbols.Count;
        ctx.GroupKinds.EnsureCapacity(count);
        ctx.GroupedCount = count;
        ctx.Workers.ForChunks(count, Chunk, (from, to, _) => ClassifyAll(ctx, carriers, from, to));
    }

    private static void ClassifyAll(LinkContext ctx, Carriers carriers, int from, int to)
    {
        SymbolTable symbols = ctx.Symbols;
        Span<SymbolId> batch = stackalloc SymbolId[SymbolTable.NameBatch];
        Span<NativeSpan<byte>> names = stackalloc NativeSpan<byte>[SymbolTable.NameBatch];
        // What describes the program is in no symbol table.
        SymbolTable.LiveWalk walk = symbols.LiveIn(from, to, SymbolKinds.NotDwarf);
        for (bool more = true; more;)
        {
            int count = 0;
            while (count < batch.Length && (more = walk.MoveNext()))
            {
                SymbolId s = walk.Current;
                SymbolTable.Traits traits = symbols.TraitsOf(s);
                SymbolKind kind = symbols.Kind(s);
                if ((traits & SymbolTable.Traits.FileLocal) != 0 || kind == SymbolKind.CoverageCounter)
                {
                    Hide(ctx, s, traits, kind);
                }
                if (NameTells(carriers, traits, kind) && !symbols.Has(s, SymbolTable.Attributes.Special))
                {
                    batch[count++] = s;
                }
            }
            symbols.ReadNames(batch[..count], names);
            for (int i = 0; i < count; i++)
            {
                Classify(ctx, carriers, batch[i], names[i].AsSpan());
            }
        }
    }

    /// <summary>The symbols that stand for the groups in the symbol table; none where a group's members stand for themselves.</summary>
    private sealed class Carriers
    {
        public SymbolId Strings;
        public SymbolId GcBits;
        public SymbolId GcMasks;
        public SymbolId Functions;
        public SymbolId FuncData;
        public SymbolId Types;
        public SymbolKind FunctionKind;
        public SymbolKind TypeKind;
    }

    // A C library starts the runtime from its initialisers.
    private static void AddEntryToInitArray(LinkContext ctx)
    {
        if (!ctx.Format.HasInitArray || ctx.Target.HasFunctionDescriptors || ctx.Target.BuildMode is not (BuildMode.CArchive or BuildMode.CShared))
        {
            return;
        }
        SymbolTable symbols = ctx.Symbols;
        SymbolId entry = symbols.Lookup(RawText.Encode(ctx.Settings.EntrySymbol), 0);
        if (!entry.IsNone)
        {
            byte[] name = [.. symbols.Name(entry), .. ".ptr"u8];
            SymbolBuilder b = symbols.Update(name, 0).SetKind(SymbolKind.InitArr).SetSize(0).SetDuplicateOk();
            b.AddAddress(entry);
        }
    }

    // Address assignment gives them their values.
    private static void DefineMarkers(LinkContext ctx)
    {
        Define("runtime.rodata"u8, SymbolKind.RoData);
        Define("runtime.erodata"u8, SymbolKind.RoDataEnd);
        Define("runtime.types"u8, SymbolKind.RoData);
        Define("runtime.etypes"u8, SymbolKind.RoData);
        Define("runtime.noptrdata"u8, SymbolKind.NoPtrData);
        Define("runtime.enoptrdata"u8, SymbolKind.NoPtrDataEnd);
        Define("runtime.data"u8, SymbolKind.Data);
        Define("runtime.edata"u8, SymbolKind.DataEnd);
        Define("runtime.bss"u8, SymbolKind.Bss);
        Define("runtime.ebss"u8, SymbolKind.Bss);
        Define("runtime.noptrbss"u8, SymbolKind.NoPtrBss);
        Define("runtime.enoptrbss"u8, SymbolKind.NoPtrBss);
        if (ctx.Release.DataPlan.GroupsGcMasks)
        {
            Define("runtime.gcmask.*"u8, SymbolKind.NoPtrBss);
        }
        Define("runtime.covctrs"u8, SymbolKind.NoPtrBss);
        Define("runtime.ecovctrs"u8, SymbolKind.NoPtrBss);
        Define("runtime.end"u8, SymbolKind.Bss);
        Define("runtime.epclntab"u8, SymbolKind.RoData);
        if (ctx.Release.HasSymbolTableSection)
        {
            Define("runtime.esymtab"u8, SymbolKind.RoData);
        }
        ctx.Symbols.Update("runtime.gcdata"u8, 0).SetKind(SymbolKind.RoData).SetSize(0);
        Define("runtime.egcdata"u8, SymbolKind.RoData);
        ctx.Symbols.Update("runtime.gcbss"u8, 0).SetKind(SymbolKind.RoData).SetSize(0);
        Define("runtime.egcbss"u8, SymbolKind.RoData);

        void Define(ReadOnlySpan<byte> name, SymbolKind kind) => ctx.DefineMarker(name, kind, 0);
    }

    private static Carriers DefineCarriers(LinkContext ctx)
    {
        Target target = ctx.Target;
        bool keepsNames = target.IsDynlinkingGo;
        Carriers carriers = new() { FunctionKind = SymbolKind.GoFunc, TypeKind = SymbolKind.Type };
        bool moves = ctx.Release.MovesDescriptorsToRelRo;
        bool relro = moves && target.UseRelro;
        if (!moves || !keepsNames)
        {
            carriers.Types = Group(ctx, "type:*"u8, SymbolKind.Type, false);
            if (relro && target.BuildMode is (BuildMode.CArchive or BuildMode.CShared or BuildMode.Pie))
            {
                carriers.Types = Group(ctx, "typerel.*"u8, SymbolKind.TypeRelRo, false);
            }
            else if (moves)
            {
                ctx.Carriers.Set(SymbolKind.TypeRelRo, carriers.Types);
            }
        }
        carriers.Strings = Group(ctx, "go:string.*"u8, SymbolKind.GoString, true);
        SymbolId functions = Group(ctx, ctx.Release.FunctionValues, SymbolKind.GoFunc, true);
        if (!ctx.Release.PclnTabHoldsFuncData)
        {
            carriers.FuncData = functions;
        }
        carriers.GcBits = Group(ctx, "runtime.gcbits.*"u8, SymbolKind.GcBits, true);
        if (ctx.Release.DataPlan.GroupsGcMasks)
        {
            carriers.GcMasks = Group(ctx, "runtime.gcmask.*"u8, SymbolKind.GcMask, true);
        }
        if (relro)
        {
            functions = Group(ctx, ctx.Release.RelocatedFunctionValues, SymbolKind.GoFuncRelRo, true);
            carriers.FunctionKind = SymbolKind.GoFuncRelRo;
            carriers.TypeKind = SymbolKind.TypeRelRo;
        }
        if (ctx.Release.HasSymbolTableSection)
        {
            ctx.Symbols.Update("runtime.symtab"u8, 0).SetKind(SymbolKind.SymTab).SetSize(0).Set(SymbolTable.Attributes.Local);
        }
        // Modules find each other's descriptors by name.
        carriers.Functions = keepsNames && (relro || !moves) ? SymbolId.None : functions;
        if (keepsNames)
        {
            carriers.Types = SymbolId.None;
        }
        return carriers;
    }

    private static SymbolId Group(LinkContext ctx, ReadOnlySpan<byte> name, SymbolKind kind, bool isLocal)
    {
        SymbolBuilder b = ctx.Symbols.Update(name, 0).SetKind(kind).SetSize(0).SetAlign(ctx.Target.PointerSize);
        if (isLocal)
        {
            b.Set(SymbolTable.Attributes.Local);
        }
        ctx.Carriers.Set(kind, b.Symbol);
        return b.Symbol;
    }

    // What is only known within its file, and counters that a tool finds otherwise.
    private static void Hide(LinkContext ctx, SymbolId s, SymbolTable.Traits traits, SymbolKind kind)
    {
        SymbolTable symbols = ctx.Symbols;
        bool isFileLocal = (traits & SymbolTable.Traits.FileLocal) != 0;
        if ((!ctx.Target.IsExternal && isFileLocal && !symbols.IsFromAssembly(s) && HasPackage(symbols, s))
            || (ctx.Target.IsInternal && kind == SymbolKind.CoverageCounter))
        {
            symbols.Set(s, Hidden);
        }
    }

    // Whether a symbol may belong to a group, and its name says to which.
    private static bool NameTells(Carriers carriers, SymbolTable.Traits traits, SymbolKind kind) => kind switch
    {
        SymbolKind.NoPtrBss => !carriers.GcMasks.IsNone,
        SymbolKind.GoFunc when !carriers.FuncData.IsNone => true,
        SymbolKind.RoData or SymbolKind.GoFunc => (traits & SymbolTable.Traits.Nameless) == 0,
        _ => false,
    };

    private static void Classify(LinkContext ctx, Carriers carriers, SymbolId s, ReadOnlySpan<byte> name)
    {
        SymbolTable symbols = ctx.Symbols;
        if (symbols.Kind(s) == SymbolKind.NoPtrBss)
        {
            if (name.StartsWith("type:.gcmask."u8))
            {
                Join(SymbolKind.GcMask, carriers.GcMasks, true);
            }
            return;
        }

        bool hides = !ctx.Target.IsDynlinkingGo;
        if (name.StartsWith("go:string."u8))
        {
            Join(SymbolKind.GoString, carriers.Strings, true);
        }
        else if (name.StartsWith("runtime.gcbits."u8) || (ctx.Release.GroupsGcPrograms && name.StartsWith("type:.gcprog."u8)))
        {
            Join(SymbolKind.GcBits, carriers.GcBits, true);
        }
        else if (name.EndsWith("·f"u8))
        {
            Join(carriers.FunctionKind, carriers.Functions, hides);
        }
        else if (!carriers.FuncData.IsNone && IsFuncData(name, symbols.Kind(s), isCarrier: s == carriers.FuncData))
        {
            Join(SymbolKind.GoFunc, carriers.FuncData, true);
        }
        else if (name.StartsWith("type:"u8))
        {
            Join(carriers.TypeKind, carriers.Types, hides);
        }
        else if (!ctx.Release.HasTypeLinkTables && (symbols.TraitsOf(s) & SymbolTable.Traits.Itab) != 0)
        {
            Join(SymbolKind.Type, carriers.Types, hides);
        }

        void Join(SymbolKind group, SymbolId carrier, bool hide)
        {
            ctx.GroupKinds[s] = (byte)group;
            if (hide)
            {
                symbols.Set(s, Hidden);
            }
            if (!carrier.IsNone)
            {
                symbols.SetCarrier(s, carrier);
            }
        }
    }

    // Pointer maps, what tracebacks tell of arguments, and inline trees, which we made. Some types' functions have such names, too.
    private static bool IsFuncData(ReadOnlySpan<byte> name, SymbolKind kind, bool isCarrier) =>
        (kind == SymbolKind.GoFunc && !isCarrier)
        || name.StartsWith("gclocals·"u8) || name.StartsWith("gclocals."u8) || name.StartsWith("gcargs."u8)
        || name.EndsWith(".opendefer"u8) || name.EndsWith(".arginfo0"u8) || name.EndsWith(".arginfo1"u8)
        || name.EndsWith(".argliveinfo"u8) || name.EndsWith(".wrapinfo"u8) || name.EndsWith(".args_stackmap"u8)
        || name.EndsWith(".stkobj"u8);

    private static bool HasPackage(SymbolTable symbols, SymbolId s) =>
        symbols.Origin(s, out int _) is not null || symbols.PackageOverride.ContainsKey(s);
}
