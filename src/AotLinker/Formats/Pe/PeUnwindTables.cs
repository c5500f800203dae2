using System.Buffers.Binary;
using AotLinker.Objects;

namespace AotLinker.Formats.Pe;

/// <summary>
/// .pdata and .xdata: for each function that saves the frame pointer its start, its end and its unwind information, by addresses from
/// the image's base (ld.collectSEH). There are few kinds of unwind information: each is there once.
/// </summary>
internal sealed class PeUnwindTables
{
    private const int EntrySize = 12;

    private readonly SymbolId[] _functions;
    private readonly int[] _information;
    private readonly SymbolId _xdata;

    private PeUnwindTables(SymbolId[] functions, int[] information, SymbolId xdata)
    {
        _functions = functions;
        _information = information;
        _xdata = xdata;
    }

    /// <summary>Makes both tables for the functions of <see cref="LinkContext.Text"/>, in that order.</summary>
    public static void Add(LinkContext ctx)
    {
        SymbolTable symbols = ctx.Symbols;
        SymbolBuilder pdata = symbols.Update(".pdata"u8, 0).SetKind(SymbolKind.SehSect).SetAlign(4);
        SymbolBuilder xdata = symbols.Update(".xdata"u8, 0).SetKind(SymbolKind.SehSect).SetAlign(4);

        SymbolId[] unwind = new SymbolId[ctx.Text.Count];
        ctx.Workers.ForChunks(unwind.Length, 1 << 12, (from, to, _) =>
        {
            for (int i = from; i < to; i++)
            {
                if (!symbols.FuncInfo(ctx.Text[i], out GoObject? _).IsEmpty)
                    unwind[i] = symbols.Aux(ctx.Text[i], AuxKind.SehUnwindInfo);
            }
        });

        List<SymbolId> functions = [];
        List<int> information = [];
        Dictionary<SymbolId, int> offsets = [];
        Dictionary<string, int> offsetsByName = new(StringComparer.Ordinal);
        for (int i = 0; i < unwind.Length; i++)
        {
            if (unwind[i].IsNone)
                continue;
            if (!offsets.TryGetValue(unwind[i], out int offset))
            {
                // The name is made of the content.
                string name = symbols.NameText(unwind[i]);
                if (!offsetsByName.TryGetValue(name, out offset))
                {
                    offset = AddInformation(symbols, xdata, unwind[i]);
                    offsetsByName.Add(name, offset);
                }
                offsets.Add(unwind[i], offset);
            }
            functions.Add(ctx.Text[i]);
            information.Add(offset);
        }

        if (ctx.Target.IsExternal)
        {
            AddReferences(pdata, ctx, functions, information, xdata.Symbol);
            Register(ctx, pdata, xdata);
            return;
        }
        PeUnwindTables tables = new([.. functions], [.. information], xdata.Symbol);
        pdata.SetSize((long)EntrySize * functions.Count).Set(SymbolTable.Attributes.Generated);
        ctx.Generators[pdata.Symbol] = new GeneratedContent(tables.Fill, EntrySize);
        Register(ctx, pdata, xdata);
    }

    private static void Register(LinkContext ctx, SymbolBuilder pdata, SymbolBuilder xdata)
    {
        if (pdata.Size > 0 || !ctx.Release.SortsUnwindTables)
            ctx.PData.Add(pdata.Symbol);
        if (xdata.Size > 0 || !ctx.Release.SortsUnwindTables)
            ctx.XData.Add(xdata.Symbol);
    }

    // In an object an external linker fills in the addresses.
    private static void AddReferences(SymbolBuilder pdata, LinkContext ctx, List<SymbolId> functions, List<int> information, SymbolId xdata)
    {
        const int Field = 4;
        pdata.Grow((long)EntrySize * functions.Count);
        for (int i = 0, at = 0; i < functions.Count; i++, at += EntrySize)
        {
            pdata.AddReloc(RelocKind.PeImageOff, at, Field, functions[i], 0);
            pdata.AddReloc(RelocKind.PeImageOff, at + Field, Field, functions[i], ctx.Symbols.Size(functions[i]));
            pdata.AddReloc(RelocKind.PeImageOff, at + (2 * Field), Field, xdata, information[i]);
        }
    }

    private static int AddInformation(SymbolTable symbols, SymbolBuilder xdata, SymbolId unwind)
    {
        int offset = (int)xdata.Size;
        xdata.AddBytes(symbols.Data(unwind));
        // A function that catches exceptions refers to its handler.
        RelocList relocs = symbols.Relocs(unwind);
        for (int i = 0; i < relocs.Count; i++)
            xdata.AddReloc(relocs.Kind(i), offset + relocs[i].Offset, relocs[i].Size, relocs.Target(i), relocs[i].Addend);
        return offset;
    }

    private void Fill(LinkContext ctx, SymbolId symbol, long offset, Span<byte> piece)
    {
        SymbolTable symbols = ctx.Symbols;
        long imageBase = ctx.Format.ImageBase;
        long xdata = symbols.Value(_xdata) - imageBase;
        int first = (int)(offset / EntrySize);
        for (int i = 0; i < piece.Length / EntrySize; i++)
        {
            Span<byte> entry = piece.Slice(i * EntrySize, EntrySize);
            SymbolId function = _functions[first + i];
            uint start = (uint)(symbols.Value(function) - imageBase);
            BinaryPrimitives.WriteUInt32LittleEndian(entry, start);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], start + (uint)symbols.Size(function));
            BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], (uint)(xdata + _information[first + i]));
        }
    }
}
