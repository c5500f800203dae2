using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// The table from pc to function, and behind it a record per function with its pcdata and funcdata offsets (runtime.functab; records:
/// runtime._func).
/// </summary>
internal sealed class FunctionTable
{
    private const int FixedWords = 11;
    private const int LookupSize = 2 * 4;

    private readonly FunctionList _functions;
    private readonly SymbolTable _symbols;
    private readonly Mentions _mentions;
    private readonly SourceFiles _files;
    private readonly PcTables _pcs;
    private readonly FuncData _data;

    // First the size of each record, then its offset.
    private readonly NativeArray<uint> _starts;
    private DeferReturnCall _deferReturn;

    /// <summary>Prepares for the functions; the other tables are placed before this one is filled.</summary>
    public FunctionTable(FunctionList functions, Mentions mentions, SourceFiles files, PcTables pcs, FuncData data)
    {
        _functions = functions;
        _symbols = functions.Context.Symbols;
        _mentions = mentions;
        _files = files;
        _pcs = pcs;
        _data = data;
        _starts = new NativeArray<uint>(functions.Count);
    }

    /// <summary>Length of the table in bytes. Valid after <see cref="Place"/>.</summary>
    public long Size { get; private set; }

    /// <summary>Offset of the entry by which function <paramref name="i"/> is found.</summary>
    public static uint LookupOffset(int i) => LookupSize * (uint)i;

    /// <summary>Offset of the record of function <paramref name="i"/>. Valid after <see cref="Place"/>.</summary>
    public uint RecordOffset(int i) => _starts[i];

    /// <summary>Learns how long the record of function <paramref name="i"/> is, which was read last.</summary>
    public void Measure(int i, FunctionReader reader) => _starts[i] = 4 * (uint)(FixedWords + reader.PcDataCount + reader.FuncDataCount);

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
        uint length = ctx.TablePcShift != 0 ? 1 : (uint)_symbols.Size(last);
        writer.UInt32((long)count * LookupSize, TextOffset(ctx, last, textStart) + length);

        int first = _starts.AsSpan().BinarySearch((uint)Math.Min(offset, uint.MaxValue));
        first = Math.Max(0, first < 0 ? ~first - 1 : first);
        Approach approach = new(_functions, first, count);
        FunctionReader reader = new(_symbols, readsPcTables: false);
        Span<uint> scratch = stackalloc uint[128];
        for (int i = first; i < count && _starts[i] < writer.End; i++)
        {
            FuncInfo info = reader.Read(approach.GoTo(i, out int local), local);
            WriteRecord(writer, reader, info, i, TextOffset(ctx, _functions[i], textStart), scratch);
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
        int shift = ctx.TablePcShift;
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

    // The record's words in scratch memory, then all of them to the piece.
    private void WriteRecord(in PieceWriter writer, FunctionReader reader, in FuncInfo info, int i, uint textOffset, Span<uint> scratch)
    {
        SymbolId s = _functions[i];
        int pcDataCount = reader.PcDataCount;
        int funcDataCount = reader.FuncDataCount;
        int length = FixedWords + pcDataCount + funcDataCount;
        Span<uint> words = length <= scratch.Length ? scratch[..length] : new uint[length];
        Span<uint> pcData = words.Slice(FixedWords, pcDataCount);
        Span<uint> funcData = words[(FixedWords + pcDataCount)..];

        words[0] = textOffset;
        words[1] = _mentions.Offset(s.Index);
        words[2] = 0;
        words[3] = _deferReturn.Find(s);
        words[4] = words[5] = words[6] = 0;
        words[7] = (uint)pcDataCount;
        words[8] = reader.Owner is { } owner ? _files.UnitOffset(owner.Unit) : uint.MaxValue;
        words[9] = 0;
        // Bytes: function id, flags, none, number of funcdata.
        words[10] = 0;
        if (info.IsValid)
        {
            words[2] = info.Args;
            words[9] = info.StartLine;
            ReadOnlySpan<uint> tables = _pcs.Of(i, FunctionReader.FixedPcTables + reader.PcData.Length);
            tables[..FunctionReader.FixedPcTables].CopyTo(words[4..]);
            tables[FunctionReader.FixedPcTables..].CopyTo(pcData);
            _data.Offsets(reader.FuncData, funcData);
        }
        if (info.InlineCount > 0)
        {
            pcData[reader.PcData.Length..].Clear();
            pcData[FunctionReader.InlinePcData] = _pcs.Of(i, FunctionReader.FixedPcTables + reader.PcData.Length + 1)[^1];
            funcData[reader.FuncData.Length..].Fill(FuncData.Missing);
            funcData[FunctionReader.InlineFuncData] = _data.InlineOffset(i);
        }

        long at = _starts[i];
        writer.UInt32s(at, words);
        if (info.IsValid)
        {
            writer.UInt8(at + 40, info.FuncId);
            writer.UInt8(at + 41, info.Flags);
            writer.UInt8(at + 43, (byte)funcDataCount);
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
            _backoff = ctx.Target.Cpu.CallRelocBackoff(ctx.Target, ctx.Release);
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
