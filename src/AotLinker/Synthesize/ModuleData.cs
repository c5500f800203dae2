using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using AotLinker.Layout;
using AotLinker.Load;
using AotLinker.Objects;
using AotLinker.Synthesize.Pclntab;

namespace AotLinker.Synthesize;

/// <summary>
/// Writes moduledata, by which the runtime knows where everything is (the second half of ld.symtab; layout: runtime/symtab.go,
/// moduledata).
/// </summary>
internal readonly ref struct ModuleData
{
    private readonly LinkContext _ctx;
    private readonly SymbolTable _symbols;
    private readonly PclnTables _pcln;
    private readonly SymbolBuilder _data;

    private ModuleData(LinkContext ctx, PclnTables pcln)
    {
        _ctx = ctx;
        _symbols = ctx.Symbols;
        _pcln = pcln;
        _data = _symbols.Update(ctx.ModuleData);
    }

    /// <summary>Runs the pass; <see cref="SymbolGroups"/> has run. Sets <see cref="LinkContext.ModuleDataFields"/>.</summary>
    /// <exception cref="LinkException">The build mode is not supported, or the runtime's type of moduledata is not there.</exception>
    public static void Run(LinkContext ctx, PclnTables pcln)
    {
        if (ctx.Target.BuildMode == BuildMode.Shared)
        {
            AddAbiHash(ctx);
        }
        if (ctx.Target.BuildMode == BuildMode.Plugin || ctx.Target.CanUsePlugins)
        {
            AddPackageHashes(ctx);
        }
        SymbolId textSections = AddTextSectionMap(ctx, out int textSectionCount);
        ModuleData m = new(ctx, pcln);
        m.AddTables();
        m.AddMarkers();
        if (ctx.Target.HasFunctionDescriptors)
        {
            AddAixDataBase(ctx);
        }
        m.AddSlice(textSections, textSectionCount);
        m.AddTypeLinks();
        m.AddPluginTables();
        m.AddInitTasks();
        m.AddModuleHashes();
        m._data.AddUInt8(ctx.Target.IsExe || ctx.Target.IsPie ? (byte)1 : (byte)0);
        m.Finish();
    }

    private void AddTables()
    {
        _data.AddAddress(_pcln.Header);
        AddBytes(_pcln.FunctionNames);
        AddSlice(_pcln.UnitTable, _symbols.Size(_pcln.UnitTable) / (_ctx.Release.CountsUnitTableEntries ? 4 : 1));
        AddBytes(_pcln.FileTable);
        AddBytes(_pcln.PcTable);
        AddBytes(_pcln.FunctionTable);
        AddSlice(_pcln.FunctionTable, _pcln.FunctionCount + 1);
        _data.AddAddress(_pcln.FindFuncTable);
        _data.AddAddress(_pcln.FirstFunction);
        _data.AddAddress(_pcln.LastFunction, _symbols.Size(_pcln.LastFunction));
    }

    private void AddMarkers()
    {
        AddMarker("runtime.text"u8);
        AddMarker("runtime.etext"u8);
        AddMarker("runtime.noptrdata"u8);
        AddMarker("runtime.enoptrdata"u8);
        AddMarker("runtime.data"u8);
        AddMarker("runtime.edata"u8);
        AddMarker("runtime.bss"u8);
        AddMarker("runtime.ebss"u8);
        AddMarker("runtime.noptrbss"u8);
        AddMarker("runtime.enoptrbss"u8);
        AddMarker("runtime.covctrs"u8);
        AddMarker("runtime.ecovctrs"u8);
        AddMarker("runtime.end"u8);
        AddMarker("runtime.gcdata"u8);
        AddMarker("runtime.gcbss"u8);
        AddMarker("runtime.types"u8);
        bool orders = _ctx.Release.DataPlan.OrdersTypes;
        long linked = orders ? AddLater() : 0;
        AddMarker("runtime.etypes"u8);
        long itabs = orders ? AddLater() : 0;
        long itabLength = orders ? AddLater() : 0;
        _ctx.ModuleDataFields = new ModuleDataFields(linked, itabs, itabLength);
        AddMarker("runtime.rodata"u8);
        AddMarker("go:func.*"u8);
        if (_ctx.Release.PclnTabHoldsFuncData)
        {
            AddMarker("runtime.epclntab"u8);
        }
        if (_ctx.Target.IsExternal && _ctx.Format.LinkerDropsUnreferenced)
        {
            KeepMarkers();
        }
    }

    // The linker would drop them; places in text and tables are counted with all of them there.
    private void KeepMarkers()
    {
        Keep("runtime.rodata"u8);
        Keep("runtime.erodata"u8);
        Keep("runtime.epclntab"u8);
        if (_ctx.Release.PclnTabHoldsFuncData)
        {
            Keep("go:func.*"u8);
        }
        Keep("go:buildid"u8);
    }

    private void Keep(ReadOnlySpan<byte> name)
    {
        SymbolId s = _symbols.Lookup(name, 0);
        if (!s.IsNone)
        {
            _data.AddReloc(RelocKind.XcoffRef, 0, _ctx.Target.PointerSize, s, 0);
        }
    }

    private void AddTypeLinks()
    {
        if (_ctx.Release.HasTypeLinkTables)
        {
            SymbolId types = _symbols.Lookup("runtime.typelink"u8, 0);
            AddSlice(types, _symbols.Size(types) / 4);
            SymbolId itabs = _symbols.Lookup("runtime.itablink"u8, 0);
            AddSlice(itabs, _symbols.Size(itabs) / _ctx.Target.PointerSize);
        }
    }

    private void AddPluginTables()
    {
        const int EntrySize = 8;
        SymbolId exports = _symbols.Lookup("go:plugin.tabs"u8, 0);
        if (!exports.IsNone && _symbols.IsReachable(exports))
        {
            _symbols.Set(exports, SymbolTable.Attributes.Local);
            if (_symbols.Kind(exports) != SymbolKind.RoData)
            {
                throw new LinkException($"go:plugin.tabs is {_symbols.Kind(exports).GoName()}, not SRODATA");
            }
            AddSlice(exports, _symbols.Data(exports).Length / EntrySize);
        }
        else
        {
            AddEmpty(3);
        }
        if (_ctx.Target.BuildMode != BuildMode.Plugin)
        {
            AddEmpty(2 + 3);
            return;
        }

        byte[] path = ObjectPath.Escape(RawText.Encode(_ctx.Options.PluginPath));
        AddString(_ctx, _data, "go:link.thispluginpath"u8, path);
        SymbolBuilder hashes = _symbols.Update("go:link.pkghashes"u8, 0);
        hashes.Set(SymbolTable.Attributes.Local).SetKind(SymbolKind.RoData);
        for (int i = 0; i < _ctx.Packages.Count; i++)
        {
            Package package = _ctx.Packages[i];
            string number = i.ToString(CultureInfo.InvariantCulture);
            AddString(_ctx, hashes, Encoding.UTF8.GetBytes("go:link.pkgname." + number), Encoding.UTF8.GetBytes(package.Path));
            AddString(_ctx, hashes, Encoding.UTF8.GetBytes("go:link.pkglinkhash." + number), Fingerprint(package));
            hashes.AddAddress(_symbols.Lookup(Encoding.UTF8.GetBytes("go:link.pkghash." + package.Path), 0));
        }
        AddSlice(hashes.Symbol, _ctx.Packages.Count);
    }

    // The libraries that were linked against, which must be the same when the program is run.
    private void AddModuleHashes()
    {
        if (_ctx.SharedLibraries is not { All: { Count: > 0 } libraries })
        {
            AddEmpty(2 + 3);
            return;
        }
        string name = _ctx.Target.IsExe || _ctx.Target.IsPie ? "the executable" : Path.GetFileName(_ctx.Options.Output);
        AddString(_ctx, _data, "go:link.thismodulename"u8, RawText.Encode(name));
        SymbolBuilder hashes = _symbols.Update("go:link.abihashes"u8, 0);
        hashes.Set(SymbolTable.Attributes.Local).SetKind(SymbolKind.RoData);
        for (int i = 0; i < libraries.Count; i++)
        {
            string number = i.ToString(CultureInfo.InvariantCulture);
            byte[] library = RawText.Encode(libraries[i].Name);
            AddString(_ctx, hashes, Encoding.UTF8.GetBytes("go:link.libname." + number), library);
            AddString(_ctx, hashes, Encoding.UTF8.GetBytes("go:link.linkhash." + number), libraries[i].AbiHash);
            SymbolId atRunTime = _symbols.LookupOrCreate([.. "go:link.abihash."u8, .. library], 0);
            _symbols.Set(atRunTime, SymbolTable.Attributes.Reachable);
            hashes.AddAddress(atRunTime);
        }
        AddSlice(hashes.Symbol, libraries.Count);
    }

    private void AddInitTasks()
    {
        SymbolId tasks = _ctx.Known.MainInitTasks;
        if (tasks.IsNone)
        {
            AddEmpty(3);
        }
        else
        {
            AddSlice(tasks, _symbols.Size(tasks) / _ctx.Target.PointerSize);
        }
    }

    // The rest of the variable is zero.
    private void Finish()
    {
        SymbolId type = _symbols.Lookup("type:runtime.moduledata"u8, 0);
        if (type.IsNone || _symbols.Data(type).Length < _ctx.Target.PointerSize)
        {
            throw new LinkException("the runtime does not define its type moduledata");
        }
        long size = new TypeDescriptor(_symbols, type).ValueSize;
        _data.SetSize(size);
        _data.Grow(size);

        SymbolBuilder last = _symbols.Update("runtime.lastmoduledatap"u8, 0);
        if (last.Kind != SymbolKind.DynImport)
        {
            last.SetKind(SymbolKind.NoPtrData).SetSize(0);
            last.SetData(default);
            last.AddAddress(_data.Symbol);
        }
    }

    private void AddSlice(SymbolId s, long length)
    {
        _data.AddAddress(s);
        _data.AddUIntPtr((ulong)length);
        _data.AddUIntPtr((ulong)length);
    }

    private void AddBytes(SymbolId s) => AddSlice(s, _symbols.Size(s));

    private void AddMarker(ReadOnlySpan<byte> name) => _data.AddAddress(_symbols.Lookup(name, 0));

    private void AddEmpty(int words)
    {
        for (int i = 0; i < words; i++)
        {
            _data.AddUIntPtr(0);
        }
    }

    // A word that dodata fills.
    private long AddLater()
    {
        long at = _data.Size;
        _data.AddUIntPtr(0);
        return at;
    }

    // A string header that refers to a symbol of its own (addgostring).
    private static void AddString(LinkContext ctx, SymbolBuilder to, ReadOnlySpan<byte> name, ReadOnlySpan<byte> text)
    {
        SymbolBuilder content = ctx.Symbols.Update(name, 0);
        if (content.Kind != SymbolKind.None)
        {
            ctx.Diagnostics.Error(ctx.Symbols.Name(to.Symbol), $"duplicate symname in addgostring: {RawText.Decode(name)}");
        }
        content.Set(SymbolTable.Attributes.Local).SetKind(SymbolKind.RoData).SetSize(text.Length);
        content.SetData(text);
        to.AddAddress(content.Symbol);
        to.AddUIntPtr((ulong)text.Length);
    }

    // Where each text section lies relative to the first, for when an external linker moves them apart (textsectionmap).
    private static SymbolId AddTextSectionMap(LinkContext ctx, out int count)
    {
        SymbolTable symbols = ctx.Symbols;
        SymbolBuilder b = symbols.Update("runtime.textsectionmap"u8, 0).SetKind(SymbolKind.RoData);
        count = 0;
        long at = 0;
        foreach (Section section in ctx.TextSegment.Sections)
        {
            if (!section.IsText)
            {
                break;
            }
            byte[] name = count == 0 ? "runtime.text"u8.ToArray() : Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"runtime.text.{count}"));
            SymbolId start = symbols.Lookup(name, 0);
            if (start.IsNone)
            {
                ctx.Diagnostics.Error($"Unable to find symbol {RawText.Decode(name)}\n");
            }
            ulong offset = section.Vaddr - ctx.TextSegment.Sections[0].Vaddr;
            // A shared library has a symbol of this name, too, whose size this one may have.
            int word = ctx.Target.PointerSize;
            at = b.SetUInt(at, offset, word);
            at = b.SetUInt(at, offset + section.Length, word);
            at = b.SetAddress(at, start);
            count++;
        }
        return b.Symbol;
    }

    // By this name others find the library's hash at run time.
    private static void AddAbiHash(LinkContext ctx)
    {
        SymbolTable symbols = ctx.Symbols;
        SymbolBuilder text = symbols.Update([.. "go:link.abihash."u8, .. RawText.Encode(Path.GetFileName(ctx.Options.Output))], 0).SetKind(SymbolKind.RoData);
        SymbolId hash = symbols.LookupOrCreate("go:link.abihashbytes"u8, 0);
        text.AddAddress(hash);
        text.AddUIntPtr((ulong)symbols.Size(hash));
    }

    // A plugin is only loaded into a program built from the same packages.
    private static void AddPackageHashes(LinkContext ctx)
    {
        foreach (Package package in ctx.Packages)
        {
            SymbolBuilder bytes = ctx.Symbols.Update(Encoding.UTF8.GetBytes("go:link.pkghashbytes." + package.Path), 0);
            bytes.SetKind(SymbolKind.RoData).SetSize(sizeof(ulong));
            bytes.SetData(Fingerprint(package));
            SymbolBuilder text = ctx.Symbols.Update(Encoding.UTF8.GetBytes("go:link.pkghash." + package.Path), 0).SetKind(SymbolKind.RoData);
            text.AddAddress(bytes.Symbol);
            text.AddUIntPtr(sizeof(ulong));
        }
    }

    // The loader of AIX moves data, but addresses in read-only data stay as they were linked; the difference is found by this.
    private static void AddAixDataBase(LinkContext ctx)
    {
        SymbolBuilder b = ctx.Symbols.Update("runtime.aixStaticDataBase"u8, 0).SetSize(0);
        b.AddAddress(ctx.Symbols.Lookup("runtime.data"u8, 0));
        b.SetKind(SymbolKind.RoData);
    }

    private static byte[] Fingerprint(Package package)
    {
        byte[] bytes = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, package.Fingerprint);
        return bytes;
    }
}
