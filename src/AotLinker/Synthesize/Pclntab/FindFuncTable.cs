using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// A table by which the runtime finds the function of a pc quickly: for every 4 KiB of text the index of the first function in it, and
/// for every 256 bytes how many functions further on to start (runtime.findfunctab; ld.findfunctab).
/// </summary>
internal sealed class FindFuncTable
{
    /// <summary>Bytes of one bucket in the table.</summary>
    public const int BucketSize = 4 + SubBuckets;

    private const int SubBuckets = 16;
    private const int SubBucketSpan = 256;

    private readonly FunctionList _functions;
    private readonly SymbolTable _symbols;
    private readonly long _start;
    private readonly long _end;
    private readonly long _subBuckets;

    /// <summary>Sizes the table; all functions have their addresses.</summary>
    public FindFuncTable(FunctionList functions)
    {
        _functions = functions;
        _symbols = functions.Context.Symbols;
        List<SymbolId> text = functions.Context.Text;
        _start = _symbols.Value(text[0]);
        _end = _symbols.Value(text[^1]) + _symbols.Size(text[^1]);
        _subBuckets = (_end - _start + SubBucketSpan - 1) / SubBucketSpan;
        long buckets = (_end - _start + (SubBuckets * SubBucketSpan) - 1) / (SubBuckets * SubBucketSpan);
        Size = (4 * buckets) + _subBuckets;
    }

    /// <summary>Length of the table in bytes.</summary>
    public long Size { get; }

    /// <summary>Fills some buckets.</summary>
    public void Fill(LinkContext ctx, SymbolId symbol, long offset, Span<byte> piece)
    {
        PieceWriter writer = new(piece, offset, ctx.Target.IsBigEndian);
        long bucket = offset / BucketSize;
        // The very first one is the first of all, even if it is a label of a host object and has no length.
        int function = bucket == 0 ? 0 : FirstBehind(_start + (bucket * SubBuckets * SubBucketSpan));
        long begin = _symbols.Value(_functions[function]);
        long end = End(function);
        for (; bucket * BucketSize < writer.End; bucket++)
        {
            int first = 0;
            for (int j = 0; j < SubBuckets && (bucket * SubBuckets) + j < _subBuckets; j++)
            {
                long from = _start + (((bucket * SubBuckets) + j) * SubBucketSpan);
                while (function < _functions.Count - 1 && end <= from && from != _start)
                {
                    // A function ends where the next one begins.
                    begin = end;
                    end = End(++function);
                }
                if (begin >= from + SubBucketSpan || (end <= from && from != _start))
                {
                    ctx.Diagnostics.Report(bucket, "hole in findfunctab");
                }
                if (j == 0)
                {
                    first = function;
                    writer.UInt32(bucket * BucketSize, (uint)first);
                }
                if (function - first >= 256)
                {
                    ctx.Diagnostics.Report(
                        bucket, $"too many functions in a findfunc bucket! {bucket}/{(Size - _subBuckets) / 4} {j} {function - first}");
                }
                writer.UInt8((bucket * BucketSize) + 4 + j, (byte)(function - first));
            }
        }
    }

    // Where a function ends for the table: padding counts, up to the next function.
    private long End(int i)
    {
        if (i + 1 < _functions.Count)
        {
            return _symbols.Value(_functions[i + 1]);
        }
        // Behind the last described function there may be a container, which then is where it ends.
        SymbolId last = _functions.Context.Text[^1];
        return last == _functions[i] ? _end : _symbols.Value(last);
    }

    private int FirstBehind(long address)
    {
        int low = 0;
        int high = _functions.Count - 1;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (End(middle) <= address)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }
        return low;
    }
}
