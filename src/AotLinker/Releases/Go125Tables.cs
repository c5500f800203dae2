using AotLinker.Objects;

namespace AotLinker.Releases;

/// <summary>
/// Tables of Go 1.25, as far as they differ from those of Go 1.26: relocation numbers (cmd/internal/objabi), builtin functions
/// (cmd/internal/goobj), symbol kinds and restricted linknames (cmd/link).
/// </summary>
internal static class Go125Tables
{
    private static readonly byte[] RelocTable = TableChanges.Without(
        Go126Tables.RelocKinds,
        [
            (byte)RelocKind.RiscvAdd32,
            (byte)RelocKind.RiscvSub32,
            (byte)RelocKind.Loong64AddrPcrel20S2,
            (byte)RelocKind.Loong64Call36,
        ]);

    private static readonly byte[] KindTable = MakeSymbolKindNumbers();

    private static readonly byte[] BuiltinTable = TableChanges.Lines(Go126Tables.Builtins)
        .Without("1runtime.printfloat32", "1runtime.printcomplex64", "1runtime.printquoted")
        .Replace("1runtime.printfloat64", "1runtime.printfloat")
        .Replace("1runtime.printcomplex128", "1runtime.printcomplex")
        .InsertBefore("1runtime.mapIterStart", "1runtime.mapiterinit")
        .InsertBefore("1runtime.mapIterNext", "1runtime.mapiternext")
        .ToBytes();

    private static readonly byte[] LinknameTable = TableChanges.Lines(Go126Tables.BlockedLinknames)
        .Without("internal/runtime/maps.rand internal/runtime/maps")
        .From("crypto/fips140.isBypassed crypto/fips140", replacedBy: "")
        .ToBytes();

    /// <summary>The relocation kind for each number an object file of this release may carry.</summary>
    public static ReadOnlySpan<byte> RelocKinds => RelocTable;

    /// <summary>The symbol kinds by the number this release gives them.</summary>
    public static ReadOnlySpan<byte> SymbolKindNumbers => KindTable;

    /// <summary>The builtin symbols by index; one per line, the ABI's digit first.</summary>
    public static ReadOnlySpan<byte> Builtins => BuiltinTable;

    /// <summary>Linknames only the listed packages may use.</summary>
    public static ReadOnlySpan<byte> BlockedLinknames => LinknameTable;

    // pclntab and the symbol table's section stand behind the type links; moduledata is ordinary data; and there is no boundary in front
    // of the kinds that are not allocated, but one for file names among them.
    private static byte[] MakeSymbolKindNumbers()
    {
        List<byte> kinds = [.. Go126Tables.SymbolKindNumbers];
        Move(SymbolKind.PclnTab, SymbolKind.FirstWritable);
        kinds.Insert(kinds.IndexOf((byte)SymbolKind.PclnTab), (byte)SymbolKind.SymTab);
        kinds.Remove((byte)SymbolKind.ModuleData);
        Move(SymbolKind.MachoGot, SymbolKind.Windows);
        kinds.Remove((byte)SymbolKind.FirstUnallocated);
        kinds.Insert(kinds.IndexOf((byte)SymbolKind.DynImport), (byte)SymbolKind.FilePath);
        return [.. kinds];

        void Move(SymbolKind kind, SymbolKind before)
        {
            kinds.Remove((byte)kind);
            kinds.Insert(kinds.IndexOf((byte)before), (byte)kind);
        }
    }
}
