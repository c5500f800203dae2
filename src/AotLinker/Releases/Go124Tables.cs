using AotLinker.Objects;

namespace AotLinker.Releases;

/// <summary>
/// Tables of Go 1.24, as far as they differ from those of Go 1.25, which brought DWARF 5: relocation numbers and symbol kinds
/// (cmd/internal/objabi), builtin functions (cmd/internal/goobj) and restricted linknames (cmd/link).
/// </summary>
internal static class Go124Tables
{
    private static readonly byte[] RelocTable = MakeRelocKinds();

    private static readonly byte[] ObjectKindTable = TableChanges.Without(Go127Tables.ObjectSymbolKinds, [(byte)SymbolKind.DwarfAddr]);

    private static readonly byte[] KindTable = TableChanges.Without(
        Go125Tables.SymbolKindNumbers, [(byte)SymbolKind.MachoRelRoSect, (byte)SymbolKind.DwarfAddr]);

    private static readonly byte[] BuiltinTable = TableChanges.Lines(Go125Tables.Builtins)
        .Without("0runtime.riscv64HasZbb")
        .ToBytes();

    private static readonly byte[] LinknameTable = TableChanges.Lines(Go125Tables.BlockedLinknames)
        .InsertBefore("internal/runtime/maps.newarray internal/runtime/maps", "internal/runtime/maps.mapKeyError internal/runtime/maps")
        .From("internal/cpu.riscvHWProbe internal/cpu", replacedBy: "")
        .ToBytes();

    /// <summary>The relocation kind for each number an object file of this release may carry.</summary>
    public static ReadOnlySpan<byte> RelocKinds => RelocTable;

    /// <summary>The symbol kind for each number an object file may carry.</summary>
    public static ReadOnlySpan<byte> ObjectSymbolKinds => ObjectKindTable;

    /// <summary>The symbol kinds by the number this release gives them.</summary>
    public static ReadOnlySpan<byte> SymbolKindNumbers => KindTable;

    /// <summary>The builtin symbols by index; one per line, the ABI's digit first.</summary>
    public static ReadOnlySpan<byte> Builtins => BuiltinTable;

    /// <summary>Linknames only the listed packages may use.</summary>
    public static ReadOnlySpan<byte> BlockedLinknames => LinknameTable;

    // There is a number for files of line tables, which compilers have stopped to use.
    private static byte[] MakeRelocKinds()
    {
        List<byte> kinds =
        [
            .. TableChanges.Without(
                Go125Tables.RelocKinds,
                [
                    (byte)RelocKind.RiscvGotPcRelItype,
                    (byte)RelocKind.DwTxtAddrU1,
                    (byte)RelocKind.DwTxtAddrU2,
                    (byte)RelocKind.DwTxtAddrU3,
                    (byte)RelocKind.DwTxtAddrU4,
                ]),
        ];
        kinds.Insert(kinds.IndexOf((byte)RelocKind.DwarfSecRef) + 1, (byte)RelocKind.DwarfFileRef);
        return [.. kinds];
    }
}
