using AotLinker.Objects;

namespace AotLinker.Releases;

/// <summary>
/// Tables of Go 1.25, as far as they differ from those of Go 1.26: relocation numbers (cmd/internal/objabi), builtin functions
/// (cmd/internal/goobj), symbol kinds and restricted linknames (cmd/link).
/// </summary>
internal static class Go125Tables
{
    private static readonly byte[] RelocTable = Without(
        Go126Tables.RelocKinds,
        [
            (byte)RelocKind.RiscvAdd32,
            (byte)RelocKind.RiscvSub32,
            (byte)RelocKind.Loong64AddrPcrel20S2,
            (byte)RelocKind.Loong64Call36,
        ]);

    private static readonly byte[] KindTable = MakeSymbolKindNumbers();

    private static readonly byte[] BuiltinTable = Lines(Go126Tables.Builtins)
        .Without("1runtime.printfloat32", "1runtime.printcomplex64", "1runtime.printquoted")
        .Replace("1runtime.printfloat64", "1runtime.printfloat")
        .Replace("1runtime.printcomplex128", "1runtime.printcomplex")
        .InsertBefore("1runtime.mapIterStart", "1runtime.mapiterinit")
        .InsertBefore("1runtime.mapIterNext", "1runtime.mapiternext")
        .ToBytes();

    private static readonly byte[] LinknameTable = Lines(Go126Tables.BlockedLinknames)
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

    private static byte[] Without(ReadOnlySpan<byte> table, ReadOnlySpan<byte> missing)
    {
        List<byte> rest = [];
        foreach (byte kind in table)
        {
            if (!missing.Contains(kind))
            {
                rest.Add(kind);
            }
        }
        return [.. rest];
    }

    private static LineList Lines(ReadOnlySpan<byte> text) => new([.. System.Text.Encoding.UTF8.GetString(text).Split('\n')]);

    /// <summary>The lines of a table, to be changed.</summary>
    private readonly struct LineList(List<string> lines)
    {
        public LineList Without(params ReadOnlySpan<string> missing)
        {
            foreach (string line in missing)
            {
                lines.RemoveAt(IndexOf(line));
            }
            return this;
        }

        /// <summary>Takes out a line and all behind it, and puts another there.</summary>
        public LineList From(string line, string replacedBy)
        {
            lines.RemoveRange(IndexOf(line), lines.Count - IndexOf(line));
            lines.Add(replacedBy);
            return this;
        }

        public LineList Replace(string line, string by)
        {
            lines[IndexOf(line)] = by;
            return this;
        }

        public LineList InsertBefore(string line, string added)
        {
            lines.Insert(IndexOf(line), added);
            return this;
        }

        public byte[] ToBytes() => System.Text.Encoding.UTF8.GetBytes(string.Join('\n', lines));

        private int IndexOf(string line) =>
            lines.IndexOf(line) is >= 0 and int i ? i : throw new InvalidOperationException($"Go 1.26 has no line {line}");
    }
}
