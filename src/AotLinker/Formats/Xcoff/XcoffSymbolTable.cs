using System.Numerics;
using System.Text;
using AotLinker.Layout;
using AotLinker.Objects;

namespace AotLinker.Formats.Xcoff;

/// <summary>
/// The symbol table and the strings behind it (asmaixsym). Every symbol has one or two auxiliary entries of the same size. First come the
/// text's markers, then everything but functions in the order of their ids, then the functions; these are divided into files, one for
/// each package, and each file begins with its part of every section of debug information and a csect that stands for its code.
/// </summary>
/// <remarks>
/// <para>The table is described once (<see cref="Describe"/>) and walked three times: to find its size and what files refer to ahead, to write
/// the entries, to write the names. Names are not shared.</para>
/// <para>In an object for an external linker all functions are in one file, and the text's markers are functions like others.</para>
/// </remarks>
internal sealed class XcoffSymbolTable
{
    // The length of the strings stands in front of them.
    private const int NamesHeader = sizeof(uint);

    // What .debug_frame begins with belongs to no function; the first file gets it.
    private const long CommonFrameSize = 48;

    private readonly bool[] _isReadOnly = new bool[byte.MaxValue + 1];
    private readonly List<FilePart> _files = [];
    private readonly List<DwarfPart> _dwarf = [];
    private readonly Dictionary<SymbolId, long> _carrierSizes = [];
    private readonly bool _isObject;

    // In an object, the number of each symbol, plus one.
    private readonly LiveColumn<int>? _numbers;

    /// <summary>Finds the size of the table. All addresses are known, and debug information can still be asked for sizes.</summary>
    public XcoffSymbolTable(LinkContext ctx)
    {
        // Constants are what the release numbers from behind executable sections to the table of pcs.
        ReadOnlySpan<byte> kinds = ctx.Release.SymbolKindNumbers;
        foreach (byte kind in kinds[(kinds.IndexOf((byte)SymbolKind.MachoPlt) + 1)..(kinds.IndexOf((byte)SymbolKind.PclnTab) + 1)])
            _isReadOnly[kind] = true;
        FindCarrierSizes(ctx);
        _isObject = ctx.Target.IsExternal;
        if (_isObject)
        {
            _numbers = new LiveColumn<int>(ctx.Symbols.Live);
            _numbers.EnsureCapacity(ctx.Symbols.Count);
        }
        if (ctx.Dwarf is { } dwarf)
        {
            foreach (Synthesize.Dwarf.DwarfSection section in dwarf.Sections)
            {
                Dictionary<string, long>? sizes = null;
                if (section.IsOfPackages && !_isObject)
                {
                    sizes = new Dictionary<string, long>(StringComparer.Ordinal);
                    section.AddPackageSizes(sizes);
                }
                byte[] name = Encoding.ASCII.GetBytes(XcoffConstants.DwarfSection(section.Name).Name);
                long first = section.Name == ".debug_frame" && !_isObject ? CommonFrameSize : 0;
                _dwarf.Add(new DwarfPart(section.Symbol, name, XcoffFormat.NumberOf(ctx, section.Output), section.Size, first, sizes));
            }
        }
        Measure measure = new() { NamesSize = NamesHeader };
        Describe(ctx, ref measure);
        Count = measure.Count;
        NamesSize = measure.NamesSize;
        ctx.Diagnostics.Flush();
    }

    /// <summary>Where the description of the table goes.</summary>
    private interface ISink
    {
        /// <summary>Whether what lies ahead is still to be found.</summary>
        static abstract bool IsMeasuring { get; }

        /// <summary>Number of entries so far.</summary>
        int Count { get; }

        /// <summary>Adds a name; returns its offset.</summary>
        uint Name(scoped ReadOnlySpan<byte> name);

        /// <summary>Adds an entry.</summary>
        void Entry(scoped ReadOnlySpan<byte> entry);
    }

    /// <summary>Number of entries.</summary>
    public int Count { get; }

    /// <summary>Number of a symbol of an object's table; null for one that has no entry.</summary>
    public int? NumberOf(SymbolId s) => _numbers!.Get(s) is var number && number != 0 ? number - 1 : null;

    /// <summary>Bytes of the entries.</summary>
    public long TableSize => (long)Count * XcoffConstants.SymbolSize;

    /// <summary>Bytes of the strings, their length included.</summary>
    public long NamesSize { get; }

    /// <summary>Writes entries and, behind them, the strings.</summary>
    public void Write(LinkContext ctx, long offset)
    {
        Entries entries = new(new OutputSequence(ctx.Output, offset, TableSize), NamesHeader);
        try
        {
            Describe(ctx, ref entries);
            entries.Complete();
        }
        finally
        {
            entries.Dispose();
        }
        Span<byte> length = stackalloc byte[NamesHeader];
        new XcoffWriter(length).U32((uint)NamesSize);
        Names names = new(new OutputSequence(ctx.Output, offset + TableSize, NamesSize), length);
        try
        {
            Describe(ctx, ref names);
            names.Complete();
        }
        finally
        {
            names.Dispose();
        }
    }

    private void Describe<TSink>(LinkContext ctx, ref TSink sink)
        where TSink : ISink, allows ref struct
    {
        SymbolTable symbols = ctx.Symbols;
        if (!_isObject)
        {
            AddMarker(ctx, ref sink, symbols.Lookup("runtime.text"u8, 0));
            AddMarker(ctx, ref sink, symbols.Lookup("runtime.etext"u8, 0));
        }
        for (int i = 1; i < symbols.Count; i++)
        {
            SymbolId s = new(i);
            SymbolKind kind = symbols.Kind(s);
            bool isData = kind is >= SymbolKind.ElfRxSect and < SymbolKind.FirstUnallocated and not SymbolKind.TlsBss;
            bool isThreadLocal = _isObject && kind == SymbolKind.TlsBss;
            if (!(isData || kind is SymbolKind.DynImport) || !symbols.IsReachable(s))
            {
                if (kind != SymbolKind.UndefExt && !isThreadLocal)
                    continue;
            }
            if (!IsListed(symbols, s))
                continue;
            if (isThreadLocal)
                AddThreadLocal(ctx, ref sink, s);
            else if (isData)
                AddData(ctx, ref sink, s, kind);
            else
                AddUndefined(ctx, ref sink, s);
        }
        DescribeText(ctx, ref sink);
    }

    private static bool IsListed(SymbolTable symbols, SymbolId s)
    {
        if (symbols.Has(s, SymbolTable.Attributes.NotInSymbolTable))
            return false;
        ReadOnlySpan<byte> name = symbols.Name(s);
        return (!name.IsEmpty && name[0] != (byte)'.') || symbols.IsFileLocal(s) || name.SequenceEqual(".TOC."u8);
    }

    private void Number<TSink>(ref TSink sink, SymbolId s)
        where TSink : ISink, allows ref struct
    {
        if (TSink.IsMeasuring && _numbers is not null)
            _numbers[s] = sink.Count + 1;
    }

    // Text that belongs to no package.
    private void AddMarker<TSink>(LinkContext ctx, ref TSink sink, SymbolId s)
        where TSink : ISink, allows ref struct
    {
        SymbolTable symbols = ctx.Symbols;
        if (s.IsNone || !symbols.Kind(s).IsText())
            return;
        uint name = sink.Name(symbols.Name(s));
        short section = XcoffFormat.NumberOf(ctx, ctx.SectionOf(s));
        Number(ref sink, s);
        AddSymbol(ref sink, (ulong)symbols.Value(s), name, section, XcoffConstants.FunctionType, XcoffStorageClass.Hidden, 1);
        AddCsect(ref sink, (ulong)symbols.Size(s), XcoffSymbolType.Section, TextAlign(ctx, s), XcoffMapping.Code);
    }

    private void AddData<TSink>(LinkContext ctx, ref TSink sink, SymbolId s, SymbolKind kind)
        where TSink : ISink, allows ref struct
    {
        SymbolTable symbols = ctx.Symbols;
        bool isZeroed = kind is SymbolKind.Bss or SymbolKind.NoPtrBss or SymbolKind.GcMask or SymbolKind.LibFuzzer8BitCounter
            or SymbolKind.CoverageCounter;
        if (TSink.IsMeasuring && isZeroed && !symbols.Data(s).IsEmpty)
        {
            string special = symbols.Has(s, SymbolTable.Attributes.Special) ? "true" : "false";
            ctx.Diagnostics.Error(
                symbols.Name(s), $"should not be bss (size={symbols.Data(s).Length} type={kind.GoName()} special={special})");
        }
        uint name = sink.Name(symbols.Name(s));
        short section = XcoffFormat.NumberOf(ctx, ctx.SectionOf(s));
        bool isLocal = IsLocal(symbols, s);
        Number(ref sink, s);
        AddSymbol(
            ref sink, (ulong)symbols.Value(s), name, section, 0, isLocal ? XcoffStorageClass.Hidden : XcoffStorageClass.External, 1);
        long size = _carrierSizes.TryGetValue(s, out long carried) ? carried : symbols.Size(s);
        AddCsect(
            ref sink,
            (ulong)size,
            isZeroed ? XcoffSymbolType.Common : XcoffSymbolType.Section,
            BitOperations.Log2((uint)DataAlign(ctx, s, size)),
            MappingOf(ctx, s, kind));
    }

    private XcoffMapping MappingOf(LinkContext ctx, SymbolId s, SymbolKind kind)
    {
        if (_isReadOnly[(int)kind])
        {
            // What is relocated at run time is part of data.
            bool isRelocated = _isObject && ctx.SectionOf(s) is { } section && section.Name.StartsWith(".data.rel.ro", StringComparison.Ordinal);
            return isRelocated ? XcoffMapping.Data : XcoffMapping.ReadOnly;
        }
        return _isObject && ctx.Symbols.Name(s).StartsWith("TOC."u8) ? XcoffMapping.TocEntry
            : s == ctx.Known.Toc ? XcoffMapping.TocAnchor : XcoffMapping.Data;
    }

    private void AddThreadLocal<TSink>(LinkContext ctx, ref TSink sink, SymbolId s)
        where TSink : ISink, allows ref struct
    {
        SymbolTable symbols = ctx.Symbols;
        uint name = sink.Name(symbols.Name(s));
        Number(ref sink, s);
        AddSymbol(
            ref sink, (ulong)symbols.Value(s), name, XcoffFormat.NumberOf(ctx, ctx.SectionOf(s)), 0, XcoffStorageClass.External, 1);
        AddCsect(ref sink, (ulong)symbols.Size(s), XcoffSymbolType.Common, 0, XcoffMapping.ThreadLocalZero);
    }

    private void AddUndefined<TSink>(LinkContext ctx, ref TSink sink, SymbolId s)
        where TSink : ISink, allows ref struct
    {
        uint name = sink.Name(RawText.Encode(ctx.Symbols.OutputName(s)));
        Number(ref sink, s);
        AddSymbol(ref sink, 0, name, 0, 0, XcoffStorageClass.External, 1);
        bool isVariable = ctx.Symbols.Name(s).SequenceEqual(XcoffConstants.ImportedVariable);
        AddCsect(
            ref sink, 0, XcoffSymbolType.Reference | XcoffSymbolType.Import, 0, isVariable ? XcoffMapping.Data : XcoffMapping.Descriptor);
    }

    private void DescribeText<TSink>(LinkContext ctx, ref TSink sink)
        where TSink : ISink, allows ref struct
    {
        SymbolTable symbols = ctx.Symbols;
        long[] dwarfOffsets = new long[_dwarf.Count];
        string package = "";
        int file = -1;
        int csect = 0;
        foreach (SymbolId s in ctx.Text)
        {
            string own = symbols.PackagePath(s);
            if (own.Length == 0 && !IsWithinFile(symbols.Name(s)))
            {
                AddMarker(ctx, ref sink, s);
                continue;
            }
            // An object has one file.
            if ((_isObject ? own.Length != 0 && file < 0 : own != package) && !IsWithinFile(symbols.Name(s)))
            {
                if (TSink.IsMeasuring)
                {
                    EndFile((ulong)sink.Count);
                    _files.Add(new FilePart { Start = symbols.Value(s), End = symbols.Value(s) });
                }
                package = own;
                csect = AddFile(ctx, ref sink, _isObject ? "go_functions" : package, package, _files[++file], dwarfOffsets, symbols.Value(s));
            }
            AddFunction(ctx, ref sink, s, csect);
            if (TSink.IsMeasuring && file >= 0)
                _files[file].End = Math.Max(_files[file].End, symbols.Value(s) + symbols.Size(s));
        }
        if (TSink.IsMeasuring)
            EndFile(ulong.MaxValue);
    }

    // Trampolines, and the markers of further sections, lie in the file at hand.
    private static bool IsWithinFile(ReadOnlySpan<byte> name) => name.IndexOf("-tramp"u8) >= 0 || name.StartsWith("runtime.text."u8);

    private void EndFile(ulong next)
    {
        if (_files.Count > 0)
            _files[^1].Next = next;
    }

    /// <summary>Adds what a package begins with; returns the number of its csect.</summary>
    private int AddFile<TSink>(LinkContext ctx, ref TSink sink, string fileName, string package, FilePart file, long[] dwarfOffsets, long start)
        where TSink : ISink, allows ref struct
    {
        Span<byte> entry = stackalloc byte[XcoffConstants.SymbolSize];
        uint name = sink.Name(".file"u8);
        AddSymbol(ref sink, file.Next, name, XcoffConstants.DebugSection, 0, XcoffStorageClass.File, 1);
        entry.Clear();
        XcoffWriter w = new(entry);
        w.U32(0);
        w.U32(sink.Name(RawText.Encode(fileName)));
        entry[^1] = (byte)XcoffAuxiliary.File;
        sink.Entry(entry);

        bool isFirst = file == _files[0];
        for (int i = 0; i < _dwarf.Count; i++)
        {
            DwarfPart part = _dwarf[i];
            long size = part.Sizes is null ? part.Size : part.Sizes.GetValueOrDefault(package);
            if (isFirst)
                size += part.First;
            name = sink.Name(part.Name);
            if (isFirst)
                Number(ref sink, part.Symbol);
            AddSymbol(ref sink, (ulong)dwarfOffsets[i], name, part.Section, 0, XcoffStorageClass.Dwarf, 1);
            // What is not divided among packages belongs to all of them.
            if (part.Sizes is not null)
                dwarfOffsets[i] += size;
            entry.Clear();
            new XcoffWriter(entry).U64((ulong)size);
            entry[^1] = (byte)XcoffAuxiliary.Section;
            sink.Entry(entry);
        }

        int csect = sink.Count;
        AddSymbol(ref sink, (ulong)start, 0, 1, 0, XcoffStorageClass.Hidden, 1);
        AddCsect(
            ref sink, (ulong)(file.End - file.Start), XcoffSymbolType.Section, BitOperations.Log2((uint)ctx.Settings.FunctionAlign), XcoffMapping.Code);
        return csect;
    }

    private void AddFunction<TSink>(LinkContext ctx, ref TSink sink, SymbolId s, int csect)
        where TSink : ISink, allows ref struct
    {
        SymbolTable symbols = ctx.Symbols;
        ReadOnlySpan<byte> name = symbols.ExternalNames.TryGetValue(s, out string? external) ? RawText.Encode(external) : symbols.Name(s);
        if (AbiNames.Suffix(ctx, s, name) is { } abi)
            name = (byte[])[.. name, .. Encoding.ASCII.GetBytes($".abi{abi}")];
        bool isLocal = IsLocal(symbols, s) || (ctx.Release.HashedTextIsLocal && symbols.IsContentHashed(s));
        uint nameOffset = sink.Name(name);
        int number = sink.Count;
        Number(ref sink, s);
        AddSymbol(
            ref sink,
            (ulong)symbols.Value(s),
            nameOffset,
            XcoffFormat.NumberOf(ctx, ctx.SectionOf(s)),
            XcoffConstants.FunctionType,
            isLocal ? XcoffStorageClass.Hidden : XcoffStorageClass.External,
            2);

        Span<byte> entry = stackalloc byte[XcoffConstants.SymbolSize];
        entry.Clear();
        XcoffWriter w = new(entry);
        // No line numbers; size; the number of the symbol behind this one and its auxiliary entries.
        w.U64(0);
        w.U32((uint)symbols.Size(s));
        w.U32((uint)number + 3);
        entry[^1] = (byte)XcoffAuxiliary.Function;
        sink.Entry(entry);
        AddCsect(ref sink, (ulong)csect, XcoffSymbolType.Label, TextAlign(ctx, s), XcoffMapping.Code);
    }

    private static void AddSymbol<TSink>(
        ref TSink sink, ulong value, uint name, short section, ushort type, XcoffStorageClass storage, int auxiliaries)
        where TSink : ISink, allows ref struct
    {
        Span<byte> entry = stackalloc byte[XcoffConstants.SymbolSize];
        XcoffWriter w = new(entry);
        w.U64(value);
        w.U32(name);
        w.U16(section);
        w.U16(type);
        w.U8((int)storage);
        w.U8(auxiliaries);
        sink.Entry(entry);
    }

    // Says how long a csect is, or in which one a label lies.
    private static void AddCsect<TSink>(ref TSink sink, ulong length, XcoffSymbolType type, int alignLog, XcoffMapping mapping)
        where TSink : ISink, allows ref struct
    {
        Span<byte> entry = stackalloc byte[XcoffConstants.SymbolSize];
        entry.Clear();
        XcoffWriter w = new(entry);
        w.U32((uint)length);
        w.U32(0);
        w.U16(0);
        w.U8((int)type | (alignLog << 3));
        w.U8((int)mapping);
        w.U32((uint)(length >> 32));
        entry[^1] = (byte)XcoffAuxiliary.Csect;
        sink.Entry(entry);
    }

    private static bool IsLocal(SymbolTable symbols, SymbolId s) =>
        symbols.IsFileLocal(s) || symbols.Has(s, SymbolTable.Attributes.Local) || symbols.Hidden.Contains(s);

    private static int TextAlign(LinkContext ctx, SymbolId s) =>
        BitOperations.Log2((uint)(ctx.Symbols.Align(s) is var align && align != 0 ? align : ctx.Settings.FunctionAlign));

    // As layout does it; symbols that it did not place have no alignment yet.
    private static int DataAlign(LinkContext ctx, SymbolId s, long size)
    {
        int align = ctx.Symbols.Align(s);
        int least = ctx.Target.Cpu.MinAlign;
        if (align != 0)
            return Math.Max(align, least);
        align = ctx.Target.Cpu.MaxAlign;
        while (align > size && align > least)
            align >>= 1;
        return align;
    }

    /// <summary>
    /// Finds how much the symbols stand for that carry others, which have a size of 0 themselves (xcoffUpdateOuterSize).
    /// </summary>
    private void FindCarrierSizes(LinkContext ctx)
    {
        SymbolTable symbols = ctx.Symbols;
        Set("type:*"u8, ctx.Carriers.Length(SymbolKind.Type), SizeOf("runtime.types"u8));
        bool hasOwnTypes = ctx.Target.BuildMode is BuildMode.CArchive or BuildMode.Pie;
        Set(hasOwnTypes ? "typerel.*"u8 : "type:*"u8, ctx.Carriers.Length(SymbolKind.TypeRelRo), SizeOf("runtime.types"u8));
        Set(ctx.Release.RelocatedFunctionValues, ctx.Carriers.Length(SymbolKind.GoFuncRelRo), 0);
        Set("go:string.*"u8, ctx.Carriers.Length(SymbolKind.GoString), 0);
        Set(ctx.Release.FunctionValues, ctx.Carriers.Length(SymbolKind.GoFunc), 0);
        Set("runtime.gcbits.*"u8, ctx.Carriers.Length(SymbolKind.GcBits), 0);
        Set("runtime.gcmask.*"u8, ctx.Carriers.Length(SymbolKind.GcMask), 0);

        long others = 0;
        if (ctx.Release.PclnTabHoldsFuncData)
        {
            // These are symbols of their own, at the end.
            SymbolId find = symbols.Lookup("runtime.findfunctab"u8, 0);
            long align = find.IsNone ? 1 : DataAlign(ctx, find, symbols.Size(find));
            others = ((SizeOf("go:func.*"u8) + align - 1) / align * align) + SizeOf("runtime.findfunctab"u8);
        }
        Set("runtime.pclntab"u8, ctx.Carriers.Length(SymbolKind.PclnTab), others);

        long SizeOf(ReadOnlySpan<byte> name) => symbols.Lookup(name, 0) is { IsNone: false } s ? symbols.Size(s) : 0;

        void Set(ReadOnlySpan<byte> name, long length, long others)
        {
            if (length == 0)
                return;
            SymbolId s = symbols.Lookup(name, 0);
            if (s.IsNone)
                ctx.Diagnostics.Error($"unknown outer symbol with name {Encoding.UTF8.GetString(name)}");
            else
                _carrierSizes[s] = length - others;
        }
    }

    /// <summary>The functions of a package.</summary>
    private sealed class FilePart
    {
        public long Start { get; init; }

        public long End { get; set; }

        /// <summary>Number of the next file's first symbol.</summary>
        public ulong Next { get; set; }
    }

    /// <summary>A section of debug information: what stands for it, its name and number, its size, what the first package has of it besides, and the sizes of the packages' parts.</summary>
    private sealed record DwarfPart(SymbolId Symbol, byte[] Name, short Section, long Size, long First, Dictionary<string, long>? Sizes);

    private struct Measure : ISink
    {
        public static bool IsMeasuring => true;

        public int Count { get; private set; }

        public long NamesSize { get; set; }

        public uint Name(scoped ReadOnlySpan<byte> name)
        {
            NamesSize += name.Length + 1;
            return 0;
        }

        public void Entry(scoped ReadOnlySpan<byte> entry) => Count++;
    }

    private ref struct Entries(OutputSequence to, long nextName) : ISink
    {
        private OutputSequence _to = to;
        private long _nextName = nextName;

        public static bool IsMeasuring => false;

        public int Count { get; private set; }

        public uint Name(scoped ReadOnlySpan<byte> name)
        {
            uint offset = (uint)_nextName;
            _nextName += name.Length + 1;
            return offset;
        }

        public void Entry(scoped ReadOnlySpan<byte> entry)
        {
            _to.Write(entry);
            Count++;
        }

        public readonly void Complete() => _to.Complete();

        public void Dispose() => _to.Dispose();
    }

    private ref struct Names : ISink
    {
        private OutputSequence _to;

        public Names(OutputSequence to, scoped ReadOnlySpan<byte> length)
        {
            _to = to;
            _to.Write(length);
        }

        public static bool IsMeasuring => false;

        public int Count { get; private set; }

        public uint Name(scoped ReadOnlySpan<byte> name)
        {
            _to.Write(name);
            _to.Write(0);
            return 0;
        }

        public void Entry(scoped ReadOnlySpan<byte> entry) => Count++;

        public readonly void Complete() => _to.Complete();

        public void Dispose() => _to.Dispose();
    }
}
