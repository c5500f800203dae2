using AotLinker.Explain;
using AotLinker.Layout;
using AotLinker.Objects;

namespace AotLinker.Formats.Wasm;

/// <summary>
/// A WebAssembly module for js or wasip1 (WebAssembly core specification, binary format). The file is: build ID, types, imports, function
/// types, table, memory, globals, exports, elements, bodies, data, producers, names.
/// </summary>
/// <remarks>
/// It is no image of memory. Code is put together from its pieces and numbers of variable length, data is what lies between zeros; both
/// are measured before the output gets its length, then written by all threads.
/// </remarks>
internal sealed class WasmFormat : OutputFormat
{
    private const int PageSize = 64 << 10;

    private readonly ModuleWriter _head = new();
    private readonly ModuleWriter _dataHead = new();
    private readonly ModuleWriter _tail = new();
    private FunctionSection? _functions;
    private DataSection? _data;
    private long _code;
    private long _dataOffset;
    private long _tailOffset;

    /// <inheritdoc/>
    public override string Name => "wasm";

    /// <inheritdoc/>
    public override bool HasDebugInfo => false;

    /// <inheritdoc/>
    public override bool HasInitArray => false;

    /// <inheritdoc/>
    public override bool ReportsSizes => false;

    /// <inheritdoc/>
    public override bool ProgramsCanCheckThemselves(Target target) => false;

    /// <summary>Behind a page for null pointers, and 8 KiB where wasm_exec.js puts arguments and environment.</summary>
    public override ulong MinDataAddress => 4096 + 8192;

    /// <inheritdoc/>
    public override void InitTarget(LinkContext ctx)
    {
        if (ctx.Settings.Round == -1)
        {
            ctx.Settings.Round = 4096;
        }
        if (ctx.Settings.TextAddress == -1)
        {
            ctx.Settings.TextAddress = 0;
        }
    }

    /// <inheritdoc/>
    public override void AddFormatSymbols(LinkContext ctx)
    {
    }

    /// <inheritdoc/>
    public override void AddDynamicSymbol(LinkContext ctx, SymbolId s) => throw NoDynamicLinking(ctx, s);

    /// <inheritdoc/>
    public override void AddGotEntry(LinkContext ctx, SymbolId s, uint relocType) => throw NoDynamicLinking(ctx, s);

    /// <inheritdoc/>
    public override void AddPltEntry(LinkContext ctx, SymbolId s) => throw NoDynamicLinking(ctx, s);

    /// <inheritdoc/>
    public override long SizeTables(LinkContext ctx)
    {
        _functions = new FunctionSection(ctx);
        _data = new DataSection(ctx, DataSections(ctx));

        WriteHead(ctx);
        ModuleWriter count = new();
        count.Number((ulong)ctx.Text.Count);
        _head.SectionHead(SectionId.Code, count.Length + _functions.CodeLength);
        _head.Bytes(count.Written);
        _code = _head.Length;

        _dataHead.SectionHead(SectionId.Data, _data.Length);
        _dataOffset = _code + _functions.CodeLength;
        _tailOffset = _dataOffset + _dataHead.Length + _data.Length;
        WriteTail(ctx);
        return _tailOffset + _tail.Length + (ctx.Settings.OmitSymbolTable ? 0 : _functions.NamesLength);
    }

    /// <inheritdoc/>
    public override void WriteSegments(LinkContext ctx)
    {
        _functions!.WriteCode(_code);
        using DataSection data = _data!;
        data.Write(_dataOffset + _dataHead.Length);
    }

    /// <inheritdoc/>
    public override void WriteTables(LinkContext ctx)
    {
        ctx.Output.Write(0, _head.Written);
        ctx.Output.Write(_dataOffset, _dataHead.Written);
        ctx.Output.Write(_tailOffset, _tail.Written);
        if (!ctx.Settings.OmitSymbolTable)
        {
            _functions!.WriteNames(_tailOffset + _tail.Length);
        }
    }

    /// <inheritdoc/>
    public override void DescribeFile(LinkContext ctx, FileMap map)
    {
        map.Table("types, imports, exports and tables", SizeKind.Headers, 0, _head.Length);
        _functions!.DescribeCode(map, _code);
        map.Table("heads of data", SizeKind.Headers, _dataOffset, _dataHead.Length);
        _data!.DescribeFile(map, _dataOffset + _dataHead.Length);
        map.Table("producers", SizeKind.Headers, _tailOffset, _tail.Length);
        if (!ctx.Settings.OmitSymbolTable)
        {
            map.Table("names", SizeKind.SymbolTable, _tailOffset + _tail.Length, _functions.NamesLength);
        }
    }

    private static LinkException NoDynamicLinking(LinkContext ctx, SymbolId s) =>
        new($"{ctx.Symbols.NameText(s)}: WebAssembly modules are not linked dynamically");

    /// <summary>The sections that have content, in the order of the file.</summary>
    private static Section[] DataSections(LinkContext ctx)
    {
        Section types = Of("runtime.types"u8);
        return ctx.Release.HasTypeLinkTables
            ? [Of("runtime.rodata"u8), Of("runtime.typelink"u8), Of("runtime.itablink"u8), .. Rest()]
            : [Of("runtime.rodata"u8), types, Of("go:funcdesc"u8), .. Rest()];

        Section[] Rest() =>
            [Of(ctx.Release.HasModuleDataSection ? "runtime.firstmoduledata"u8 : "runtime.symtab"u8), Of("runtime.pclntab"u8), Of("runtime.noptrdata"u8), Of("runtime.data"u8)];

        Section Of(ReadOnlySpan<byte> marker) =>
            ctx.SectionOf(ctx.Symbols.Lookup(marker, 0))
                ?? throw new InvalidOperationException($"{System.Text.Encoding.UTF8.GetString(marker)} has no section");
    }

    private void WriteHead(LinkContext ctx)
    {
        FunctionSection functions = _functions!;
        _head.Bytes("\0asm"u8);
        _head.Bytes([1, 0, 0, 0]);
        if (!functions.BuildId.IsEmpty)
        {
            ModuleWriter id = new();
            id.Name("go:buildid"u8);
            id.Bytes(functions.BuildId);
            _head.Section(SectionId.Custom, id);
        }

        ModuleWriter types = new();
        types.Number((ulong)functions.Types.Count);
        for (int i = 0; i < functions.Types.Count; i++)
        {
            types.Bytes(functions.Types[i]);
        }
        _head.Section(SectionId.Type, types);

        ModuleWriter imports = new();
        imports.Number((ulong)functions.Imports.Count);
        foreach (FunctionSection.Import import in functions.Imports)
        {
            // The module of the support file of Go's own.
            imports.Name(import.Module.Length != 0 ? import.Module : "gojs"u8);
            imports.Name(import.Name);
            imports.Byte(Opcode.Function);
            imports.Number((ulong)import.Type);
        }
        _head.Section(SectionId.Import, imports);

        ModuleWriter typeOf = new();
        typeOf.Number((ulong)functions.TypeOf.Length);
        foreach (int type in functions.TypeOf)
        {
            typeOf.Number((ulong)type);
        }
        _head.Section(SectionId.Function, typeOf);

        // One table for indirect calls, indexed by function numbers; funcref, no maximum.
        ModuleWriter table = new();
        table.Bytes([1, 0x70, 0]);
        table.Number((ulong)(ctx.Target.Cpu.FirstFunctionNumber + functions.TypeOf.Length));
        _head.Section(SectionId.Table, table);

        WriteMemory(ctx);
        WriteGlobals();
        WriteExports(ctx);

        // The table's content: from the first function number on, the program's functions.
        ModuleWriter elements = new();
        elements.Bytes([1, 0]);
        elements.ConstantI32(ctx.Target.Cpu.FirstFunctionNumber);
        elements.Number((ulong)functions.TypeOf.Length);
        for (int i = 0; i < functions.TypeOf.Length; i++)
        {
            elements.Number((ulong)(functions.Imports.Count + i));
        }
        _head.Section(SectionId.Element, elements);
    }

    private void WriteMemory(LinkContext ctx)
    {
        // A megabyte more than the data, from which the runtime allocates while it starts; it asks for the rest itself.
        ulong size = (ulong)ctx.Symbols.Value(ctx.Symbols.Lookup("runtime.end"u8, 0)) + (1 << 20);
        ModuleWriter memory = new();
        memory.Bytes([1, 0]);
        memory.Number(size / PageSize);
        _head.Section(SectionId.Memory, memory);
    }

    /// <summary>The registers of Go's virtual machine: SP, CTXT, g, RET0 to RET3, PAUSE; all start as 0.</summary>
    private void WriteGlobals()
    {
        ReadOnlySpan<byte> types =
            [Opcode.I32, Opcode.I64, Opcode.I64, Opcode.I64, Opcode.I64, Opcode.I64, Opcode.I64, Opcode.I32];
        ModuleWriter globals = new();
        globals.Number((ulong)types.Length);
        foreach (byte type in types)
        {
            const byte IsVariable = 1;
            globals.Bytes([type, IsVariable, type == Opcode.I32 ? Opcode.I32Const : Opcode.I64Const, 0, Opcode.End]);
        }
        _head.Section(SectionId.Global, globals);
    }

    private void WriteExports(LinkContext ctx)
    {
        bool isJs = ctx.Target.HeadType == HeadType.Js;
        ModuleWriter exports = new();
        exports.Number((ulong)((isJs ? 4 : 2) + ctx.WasmExports.Count));
        if (isJs)
        {
            foreach (string name in (ReadOnlySpan<string>)["run", "resume", "getsp"])
            {
                Function(name, "wasm_export_" + name);
            }
        }
        else if (ctx.Target.BuildMode == BuildMode.CShared)
        {
            Function("_initialize", "_rt0_wasm_wasip1_lib");
        }
        else
        {
            Function("_start", "_rt0_wasm_wasip1");
        }
        foreach (SymbolId s in ctx.WasmExports)
        {
            Add(ctx.Symbols.Name(s), s);
        }
        exports.Name(isJs ? "mem"u8 : "memory"u8);
        exports.Bytes([Opcode.Memory, 0]);
        _head.Section(SectionId.Export, exports);

        void Function(string name, string symbol)
        {
            SymbolId s = ctx.Symbols.Lookup(System.Text.Encoding.UTF8.GetBytes(symbol), 0);
            if (s.IsNone)
            {
                ctx.Diagnostics.Error($"export symbol {symbol} not defined");
            }
            Add(System.Text.Encoding.UTF8.GetBytes(name), s);
        }

        void Add(ReadOnlySpan<byte> name, SymbolId s)
        {
            exports.Name(name);
            exports.Byte(Opcode.Function);
            exports.Number((uint)_functions!.IndexOf(s));
        }
    }

    private void WriteTail(LinkContext ctx)
    {
        byte[] version = System.Text.Encoding.UTF8.GetBytes(ctx.Options.Version);
        ModuleWriter producers = new();
        producers.Name("producers"u8);
        producers.Number(2);
        producers.Name("language"u8);
        producers.Number(1);
        producers.Name("Go"u8);
        producers.Name(version);
        producers.Name("processed-by"u8);
        producers.Number(1);
        producers.Name("Go cmd/compile"u8);
        producers.Name(version);
        _tail.Section(SectionId.Custom, producers);
        if (ctx.Settings.OmitSymbolTable)
        {
            return;
        }

        // Only the head here: one subsection with all functions' names follows.
        const byte FunctionNames = 1;
        ModuleWriter count = new();
        count.Number((ulong)ctx.Text.Count);
        long length = count.Length + _functions!.NamesLength;
        ModuleWriter name = new();
        name.Name("name"u8);
        _tail.SectionHead(SectionId.Custom, name.Length + 1 + Leb128.FixedLength + length);
        _tail.Bytes(name.Written);
        _tail.SectionHead((SectionId)FunctionNames, length);
        _tail.Bytes(count.Written);
    }
}
