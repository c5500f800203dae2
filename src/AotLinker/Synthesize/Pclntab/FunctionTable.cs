using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// The table from pc to function, and behind it a record per function with its pcdata and funcdata offsets (runtime.functab; records:
/// runtime._func).
/// </summary>
internal sealed class FunctionTable
{
    private const int RecordSize = 11 * 4;
    private const int LookupSize = 2 * 4;

    private readonly FunctionList _functions;
    private readonly SymbolTable _symbols;
    private readonly FunctionNames _names;
    private readonly SourceFiles _files;
    private readonly PcTables _pcs;
    private readonly FuncDataTable _data;

    // First the size of each record, then its offset.
    private readonly NativeArray<uint> _starts;
    private DeferReturnCall _deferReturn;

    /// <summary>Prepares for the functions; the other tables are placed before this one is filled.</summary>
    public FunctionTable(FunctionList functions, FunctionNames names, SourceFiles files, PcTables pcs, FuncDataTable data)
    {
        _functions = functions;
        _symbols = functions.Context.Symbols;
        _names = names;
        _files = files;
        _pcs = pcs;
        _data = data;
        _starts = new NativeArray<uint>(functions.Count);
    }

    /// <summary>Length of the table in bytes. Valid after <see cref="Place"/>.</summary>
    public long Size { get; private set; }

    /// <summary>Learns how long the record of function <paramref name="i"/> is.</summary>
    public void Measure(int i, in FunctionParts parts) =>
        _starts[i] = (uint)(RecordSize + (4 * parts.PcDataCount) + (4 * parts.FuncDataCount));

    /// <summary>Gives every record its offset.</summary>
    public void Place()
    {
        long pointer = _functions.Context.Target.PointerSize;
        long size = ((long)LookupSize * _functions.Count) + 4;
        for (int i = 0; i < _starts.Length; i++)
        {
            size = (size + pointer - 1) & -pointer;
            uint length = _starts[i];
            _starts[i] = (uint)size;
            size += length;
        }
        if (size > uint.MaxValue)
        {
            throw new LinkException("pclntab: more than 4 GiB of function records");
        }
        Size = size;
        _deferReturn = new DeferReturnCall(_functions.Context);
    }

    /// <summary>Fills a piece of the table.</summary>
    public void Fill(LinkContext ctx, SymbolId symbol, long offset, Span<byte> piece)
    {
        piece.Clear();
        PieceWriter writer = new(piece, offset, ctx.Target.IsBigEndian);
        long textStart = _symbols.Value(_symbols.Lookup("runtime.text"u8, 0));
        int count = _functions.Count;
        for (int i = (int)Math.Min(offset / LookupSize, count); i < count && (long)i * LookupSize < writer.End; i++)
        {
            writer.UInt32((long)i * LookupSize, TextOffset(ctx, _functions[i], textStart));
            writer.UInt32(((long)i * LookupSize) + 4, _starts[i]);
        }
        // The last function ends somewhere; where pcs count functions, at the next number.
        SymbolId last = _functions.Last;
        uint length = ctx.Target.Cpu.PcUnitShift != 0 ? 1 : (uint)_symbols.Size(last);
        writer.UInt32((long)count * LookupSize, TextOffset(ctx, last, textStart) + length);

        int first = _starts.AsSpan().BinarySearch((uint)Math.Min(offset, uint.MaxValue));
        first = Math.Max(0, first < 0 ? ~first - 1 : first);
        Approach approach = new(_functions, first, count);
        for (int i = first; i < count && _starts[i] < writer.End; i++)
        {
            approach.Expect(i);
            WriteRecord(ctx, writer, i, textStart);
        }
    }

    /// <summary>
    /// The pc of a function as the runtime's tables have it: from the start of the text (textOff).
    /// </summary>
    public static uint TextOffset(LinkContext ctx, SymbolId s, long textStart) => (uint)TextOffset(ctx, ctx.Symbols.Value(s), textStart, s);

    /// <summary>The same for an address.</summary>
    public static long TextOffset(LinkContext ctx, long address, long textStart, SymbolId s = default)
    {
        long offset = address - textStart;
        int shift = ctx.Target.Cpu.PcUnitShift;
        if (offset < 0)
        {
            throw new InvalidOperationException($"{ctx.Symbols.NameText(s)} lies in front of the text");
        }
        if ((offset & ((1L << shift) - 1)) != 0)
        {
            ctx.Diagnostics.Report(s.Index, $"{ctx.Symbols.NameText(s)}: nonzero PC_B at function entry: 0x{offset:x}");
        }
        offset >>= shift;
        if (offset > uint.MaxValue)
        {
            ctx.Diagnostics.Report(s.Index, $"{ctx.Symbols.NameText(s)}: textOff overflow: 0x{offset:x}");
        }
        return offset;
    }

    private void WriteRecord(LinkContext ctx, in PieceWriter writer, int i, long textStart)
    {
        SymbolId s = _functions[i];
        FunctionParts parts = new(_symbols, s);
        FuncInfo info = parts.Info;
        long at = _starts[i];
        int pcDataCount = parts.PcDataCount;
        int funcDataCount = parts.FuncDataCount;

        writer.UInt32(at, TextOffset(ctx, s, textStart));
        writer.UInt32(at + 4, _names.Offset(s));
        writer.UInt32(at + 12, _deferReturn.Find(s));
        writer.UInt32(at + 28, (uint)pcDataCount);
        writer.UInt32(at + 32, parts.Owner is { } owner ? _files.UnitOffset(owner.Unit) : uint.MaxValue);
        writer.UInt8(at + 43, (byte)funcDataCount);
        if (!info.IsValid)
        {
            return;
        }
        writer.UInt32(at + 8, info.Args);
        writer.UInt32(at + 16, _pcs.Offset(parts.PcSp));
        writer.UInt32(at + 20, _pcs.Offset(parts.PcFile));
        writer.UInt32(at + 24, _pcs.Offset(parts.PcLine));
        writer.UInt32(at + 36, info.StartLine);
        writer.UInt8(at + 40, info.FuncId);
        writer.UInt8(at + 41, info.Flags);

        long pcData = at + RecordSize;
        int index = 0;
        foreach (SymbolId table in parts.PcData)
        {
            writer.UInt32(pcData + (4 * index++), _pcs.Offset(table));
        }
        if (parts.HasInlined)
        {
            writer.UInt32(pcData + (4 * FunctionParts.InlinePcData), _pcs.Offset(parts.PcInline));
        }

        long funcData = pcData + (4 * pcDataCount);
        index = 0;
        foreach (SymbolId data in parts.FuncData)
        {
            writer.UInt32(funcData + (4 * index), parts.Ignores(index, data) ? FuncDataTable.Missing : _data.Offset(data));
            index++;
        }
        for (; index < funcDataCount; index++)
        {
            writer.UInt32(funcData + (4 * index), FuncDataTable.Missing);
        }
        if (parts.HasInlined)
        {
            writer.UInt32(funcData + (4 * FunctionParts.InlineFuncData), _data.InlineOffset(i));
        }
    }

    /// <summary>Finds where functions call runtime.deferreturn: where the runtime resumes them after a recovered panic.</summary>
    private readonly struct DeferReturnCall
    {
        private readonly SymbolTable _symbols;
        private readonly SymbolId _target;
        private readonly ReferenceFilter _filter;
        private readonly int _backoff;
        private readonly bool _marksResumePoints;

        public DeferReturnCall(LinkContext ctx)
        {
            _symbols = ctx.Symbols;
            _target = ctx.Symbols.Lookup("runtime.deferreturn"u8, ctx.Symbols.AbiInternalVersion);
            _filter = ctx.Symbols.FilterFor(_target);
            _backoff = ctx.Target.Cpu.CallRelocBackoff(ctx.Target);
            _marksResumePoints = ctx.Target.Cpu.MarksResumePoints;
        }

        /// <summary>Offset of the first such call in a function; 0 if there is none (computeDeferReturn).</summary>
        public uint Find(SymbolId function)
        {
            if (!_symbols.MayDeferReturn(function))
            {
                return 0;
            }
            RelocList relocs = _symbols.Relocs(function);
            bool isChanged = relocs.HasChanges || relocs.Owner is null;
            uint resume = 0;
            for (int i = 0; i < relocs.Count; i++)
            {
                if (_marksResumePoints && relocs.Kind(i) == RelocKind.Addr)
                {
                    resume = (uint)relocs[i].Addend;
                }
                if (relocs.Kind(i).IsDirectCall() && (isChanged || _filter.MayBe(relocs.Records[i].Target)))
                {
                    SymbolId target = relocs.Target(i);
                    if (target == _target || _symbols.IsDeferReturnTrampoline(target))
                    {
                        return _marksResumePoints ? resume - 1 : (uint)(relocs[i].Offset - _backoff);
                    }
                }
            }
            return 0;
        }
    }
}
