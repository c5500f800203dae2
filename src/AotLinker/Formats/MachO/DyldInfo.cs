using AotLinker.Layout;
using AotLinker.Objects;

namespace AotLinker.Formats.MachO;

/// <summary>
/// What the dynamic linker does to data at start-up, as the byte codes of LC_DYLD_INFO_ONLY: addresses to move with the image (rebase),
/// and addresses of imported symbols to fill in (bind). A position-independent program has a rebase entry for every address in its data,
/// so these are kept as compact records, measured and written by all threads.
/// </summary>
/// <remarks>The entries come in the order in which they were found, and each says its whole place, as cmd/link has it.</remarks>
internal sealed class DyldInfo
{
    // One byte code of type, and one of the end, each.
    private const int OuterCodes = 2;
    private const int ChunkSize = 1 << 14;

    private const byte RebaseSetTypePointer = 0x11;
    private const byte RebaseSetSegmentAndOffset = 0x20;
    private const byte RebaseDoOnce = 0x51;
    private const byte BindSetOrdinalImmediate = 0x10;
    private const byte BindSetOrdinalUleb = 0x20;
    private const byte BindSetSpecial = 0x30;
    private const byte BindSetSymbol = 0x40;
    private const byte BindSetTypePointer = 0x51;
    private const byte BindSetSegmentAndOffset = 0x70;
    private const byte BindDo = 0x90;
    private const int FlatLookup = -2;

    private readonly NativeColumn<Place> _rebases = new();
    private readonly List<(Place Place, SymbolId Target)> _binds = [];
    private int _rebaseCount;
    private long[] _chunkStarts = [];
    private byte[] _bindCodes = [];

    /// <summary>Bytes of the rebase codes.</summary>
    public long RebaseSize { get; private set; }

    /// <summary>Bytes of the bind codes.</summary>
    public long BindSize => _bindCodes.Length;

    /// <summary>The address at an offset of a symbol moves with the image. Serial.</summary>
    public void AddRebase(SymbolId s, int offset)
    {
        _rebases.EnsureCapacity(_rebaseCount + 1);
        _rebases[(long)_rebaseCount++] = new Place { Symbol = s.Index, Offset = offset };
    }

    /// <summary>The place at an offset of a symbol gets the address of an imported symbol. Serial.</summary>
    public void AddBind(SymbolId s, int offset, SymbolId target) =>
        _binds.Add((new Place { Symbol = s.Index, Offset = offset }, target));

    /// <summary>Finds out how long the codes get, once all addresses are known.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="libraries">The libraries, in order of their load commands.</param>
    public void Measure(LinkContext ctx, List<string> libraries)
    {
        int chunks = (_rebaseCount + ChunkSize - 1) / ChunkSize;
        _chunkStarts = new long[chunks + 1];
        ctx.Workers.For(chunks, chunk =>
        {
            long size = 0;
            int to = Math.Min(_rebaseCount, (chunk + 1) * ChunkSize);
            for (int i = chunk * ChunkSize; i < to; i++)
                size += 2 + UlebSize(Locate(ctx, _rebases[(long)i], out _));
            _chunkStarts[chunk + 1] = size;
        });
        _chunkStarts[0] = 1;
        for (int i = 0; i < chunks; i++)
            _chunkStarts[i + 1] += _chunkStarts[i];
        RebaseSize = RoundUp(_chunkStarts[chunks] - 1 + OuterCodes, 8);
        _bindCodes = BuildBinds(ctx, libraries);
    }

    /// <summary>Writes the rebase codes at an offset of the output and the bind codes behind them.</summary>
    public void Write(LinkContext ctx, long offset)
    {
        ctx.Output.Write(offset, [RebaseSetTypePointer]);
        ctx.Workers.For(_chunkStarts.Length - 1, chunk =>
        {
            OutputSequence to = new(ctx.Output, offset + _chunkStarts[chunk], _chunkStarts[chunk + 1] - _chunkStarts[chunk]);
            try
            {
                Span<byte> uleb = stackalloc byte[10];
                int end = Math.Min(_rebaseCount, (chunk + 1) * ChunkSize);
                for (int i = chunk * ChunkSize; i < end; i++)
                {
                    ulong at = Locate(ctx, _rebases[(long)i], out int segment);
                    to.Write((byte)(RebaseSetSegmentAndOffset | segment));
                    to.Write(uleb[..PutUleb(uleb, at)]);
                    to.Write(RebaseDoOnce);
                }
                to.Complete();
            }
            finally
            {
                to.Dispose();
            }
        });
        // The end is a code of 0, and so is the padding: there the output is zero already.
        ctx.Output.Write(offset + RebaseSize, _bindCodes);
    }

    private static byte[] Padded(List<byte> codes)
    {
        const int TableAlign = 16;
        while (codes.Count % TableAlign != 0)
            codes.Add(0);
        return [.. codes];
    }

    private byte[] BuildBinds(LinkContext ctx, List<string> libraries)
    {
        List<byte> codes = [BindSetTypePointer];
        Span<byte> uleb = stackalloc byte[10];
        foreach ((Place place, SymbolId target) in _binds)
        {
            ulong at = Locate(ctx, place, out int segment);
            codes.Add((byte)(BindSetSegmentAndOffset | segment));
            codes.AddRange(uleb[..PutUleb(uleb, at)]);

            // Libraries count from 1.
            int library = libraries.IndexOf(ctx.Symbols.DynamicLibrary.GetValueOrDefault(target, "")) + 1;
            if (library == 0)
            {
                codes.Add(BindSetSpecial | (FlatLookup & 0xf));
            }
            else if (library < 128)
            {
                // The field has four bits; with more than 15 libraries cmd/link's number is cut off as well.
                codes.Add((byte)(BindSetOrdinalImmediate | (library & 0xf)));
            }
            else
            {
                codes.Add(BindSetOrdinalUleb);
                codes.AddRange(uleb[..PutUleb(uleb, (ulong)library)]);
            }

            const byte WeakImport = 1;
            codes.Add((byte)(BindSetSymbol | (ctx.Symbols.WeakBinding.Contains(target) ? WeakImport : 0)));
            codes.Add((byte)'_');
            codes.AddRange(RawText.Encode(ctx.Symbols.OutputName(target)));
            codes.Add(0);
            codes.Add(BindDo);
        }
        codes.Add(0);
        return Padded(codes);
    }

    /// <summary>The number of the segment a place lies in, counted as the load commands are, and the offset there.</summary>
    private static ulong Locate(LinkContext ctx, Place place, out int segment)
    {
        SymbolId s = new(place.Symbol);
        Segment holder = ctx.SectionOf(s)?.Segment ?? throw new InvalidOperationException($"{ctx.Symbols.NameText(s)} has no segment");
        // 0 is the zero page.
        bool hasRelRo = ctx.RelRoDataSegment.Length > 0;
        segment = holder == ctx.TextSegment ? 1
            : holder == ctx.RelRoDataSegment ? 2
            : holder == ctx.DataSegment ? (hasRelRo ? 3 : 2)
            : throw new InvalidOperationException($"{ctx.Symbols.NameText(s)} lies in segment {holder}");
        return (ulong)(ctx.Symbols.Value(s) + place.Offset) - holder.Vaddr;
    }

    private static int UlebSize(ulong v) => (Math.Max(64 - System.Numerics.BitOperations.LeadingZeroCount(v), 1) + 6) / 7;

    private static int PutUleb(Span<byte> to, ulong v)
    {
        int n = 0;
        for (; v >= 0x80; v >>= 7)
            to[n++] = (byte)(v | 0x80);
        to[n++] = (byte)v;
        return n;
    }

    private static long RoundUp(long value, long to) => (value + to - 1) / to * to;

    private struct Place
    {
        public int Symbol;
        public int Offset;
    }
}
