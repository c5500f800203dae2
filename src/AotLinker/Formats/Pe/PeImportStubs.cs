using AotLinker.Load;
using AotLinker.Objects;

namespace AotLinker.Formats.Pe;

/// <summary>
/// Code of host objects calls imported functions as if they were its own: such a call is sent to a stub that jumps through the import
/// address table. And it loads their addresses from variables "__imp_name", which are places in that table (windynrelocsyms).
/// </summary>
internal static class PeImportStubs
{
    /// <summary>
    /// What the loader of host objects enters: as a PLT offset, that a function needs a stub; as a GOT offset, that a symbol stands for a
    /// place in the import address table.
    /// </summary>
    public const int Wanted = -2;

    private const int ChunkSize = 1 << 12;

    /// <summary>Changes the references of all functions, and makes the stubs, which become the last function (".rel").</summary>
    public static void Add(LinkContext ctx, PeCpu cpu)
    {
        SymbolBuilder stubs = ctx.Symbols.Update(".rel"u8, 0).SetKind(SymbolKind.Text);
        List<(SymbolId Function, int Reloc)>?[] found = new List<(SymbolId, int)>?[(ctx.Text.Count + ChunkSize - 1) / ChunkSize];
        ctx.Workers.ForChunks(ctx.Text.Count, ChunkSize, (from, to, _) =>
        {
            for (int i = from; i < to; i++)
            {
                RelocList relocs = ctx.Symbols.Relocs(ctx.Text[i]);
                for (int r = 0; r < relocs.Count; r++)
                {
                    if (IsOfInterest(ctx.Symbols, relocs, r))
                        (found[from / ChunkSize] ??= []).Add((ctx.Text[i], r));
                }
            }
        });
        SymbolId failed = SymbolId.None;
        foreach (List<(SymbolId Function, int Reloc)>? chunk in found)
        {
            foreach ((SymbolId function, int reloc) in chunk ?? [])
            {
                // After an error the rest of a function is left alone.
                if (function == failed)
                    continue;
                try
                {
                    Redirect(ctx, cpu, stubs, function, reloc);
                }
                catch (LinkException e) when (e.Form == MessageForm.Bare)
                {
                    ctx.Diagnostics.Error(ctx.Symbols.Name(function), e.Message);
                    failed = function;
                }
            }
        }
        ctx.Text.Add(stubs.Symbol);
    }

    private static bool IsOfInterest(SymbolTable symbols, RelocList relocs, int r)
    {
        if (relocs[r].IsMarker)
            return false;
        SymbolId target = relocs.Target(r);
        if (target.IsNone)
            return false;
        return symbols.IsReachable(target)
            ? symbols.GotOffset.ContainsKey(target) || symbols.PltOffset.ContainsKey(target)
            : !relocs[r].IsWeak;
    }

    private static void Redirect(LinkContext ctx, PeCpu cpu, SymbolBuilder stubs, SymbolId function, int reloc)
    {
        SymbolTable symbols = ctx.Symbols;
        SymbolId target = symbols.Relocs(function).Target(reloc);
        if (!symbols.IsReachable(target))
            throw new LinkException(MessageForm.Bare, $"dynamic relocation to unreachable symbol {symbols.NameText(target)}");
        SymbolBuilder b = symbols.Update(function);
        if (symbols.GotOffset.ContainsKey(target))
        {
            SymbolId imported = HostPe.ImportedBy(ctx, target);
            // The import has become a variable.
            if (symbols.Kind(imported) != SymbolKind.Windows)
            {
                throw new LinkException(
                    MessageForm.Bare,
                    $"internal error in windynrelocsym: underlying sym for {Cli.GoText.Quote(symbols.NameText(target))} has wrong type {symbols.Kind(imported).GoName()}");
            }
            b.SetRelocTarget(reloc, imported);
            return;
        }
        if (symbols.PltOffset[target] == Wanted)
        {
            symbols.PltOffset[target] = (int)stubs.Size;
            cpu.AddImportStub(stubs, target, ctx.Release);
        }
        b.SetRelocTarget(reloc, stubs.Symbol);
        b.SetRelocAddend(reloc, symbols.PltOffset[target]);
    }
}
