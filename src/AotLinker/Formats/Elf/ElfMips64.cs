using System.Diagnostics.CodeAnalysis;
using AotLinker.Objects;

namespace AotLinker.Formats.Elf;

/// <summary>
/// ELF for 64-bit MIPS, n64 ABI. PLT entries have 16 bytes and load from .got.plt, whose first two words are the dynamic linker's. It
/// needs no relocations for the others: the last symbols of .dynsym go with them one by one, from a number that .dynamic tells.
/// </summary>
internal sealed class ElfMips64 : ElfMips
{
    private const int ReservedSlots = 2;

    // Where .dynamic holds numbers that are known once all imports are.
    private long _symbolCountAt;
    private long _firstGotSymbolAt;
    private ulong _symbolCount;

    /// <param name="isBigEndian">Byte order.</param>
    [SetsRequiredMembers]
    public ElfMips64(bool isBigEndian)
        : base(
            "mips64",
            is64: true,
            flags: 0x20000004, // MIPS III, calls of position-independent code
            interpreter: "/lib64/ld64.so.1",
            muslInterpreter: isBigEndian ? "/lib/ld-musl-mips64.so.1" : "/lib/ld-musl-mips64el.so.1")
    {
    }

    /// <summary>Adds what .dynamic tells about the GOT; two of the numbers are filled in with the first imports (gentext).</summary>
    public void AddGotEntries(LinkContext ctx)
    {
        SymbolBuilder dynamic = ctx.Symbols.Update(ctx.Known.Dynamic);
        Add(ElfDynamicTag.MipsRldVersion, 1);
        Add(ElfDynamicTag.MipsBaseAddress, 0);
        Add(ElfDynamicTag.MipsLocalGotCount, ReservedSlots);
        _symbolCountAt = Add(ElfDynamicTag.MipsSymbolCount, 0);
        _firstGotSymbolAt = Add(ElfDynamicTag.MipsFirstGotSymbol, 0);

        long Add(ElfDynamicTag tag, ulong value)
        {
            dynamic.AddUInt64((ulong)tag);
            return dynamic.AddUInt64(value) - 8;
        }
    }

    /// <inheritdoc/>
    public override void SetUpPlt(LinkContext ctx, SymbolBuilder plt, SymbolBuilder gotPlt, SymbolId dynamic)
    {
        // Entries come with the address of their slot in $24: its number goes to the resolver, the return address in $15.
        Add(plt, 0x3c0e0000, RelocKind.AddrMipsU, gotPlt.Symbol, 0); // lui $14, %hi(.got.plt)
        Add(plt, 0xddd90000, RelocKind.AddrMips, gotPlt.Symbol, 0); // ld $25, %lo(.got.plt)($14)
        Add(plt, 0x25ce0000, RelocKind.AddrMips, gotPlt.Symbol, 0); // addiu $14, $14, %lo(.got.plt)
        plt.AddUInt32(0x030ec023); // subu $24, $24, $14
        plt.AddUInt32(0x03e07825); // move $15, $31
        plt.AddUInt32(0x0018c0c2); // srl $24, $24, 3
        plt.AddUInt32(0x0320f809); // jalr $25
        plt.AddUInt32(0x2718fffe); // subu $24, $24, 2

        if (gotPlt.Size != 0)
            ctx.Diagnostics.Error("got.plt is not empty");
        // The resolver and the program's description, both set by the dynamic linker.
        for (int i = 0; i < ReservedSlots; i++)
            gotPlt.AddUInt64(0);
    }

    /// <inheritdoc/>
    public override int AddPltEntry(LinkContext ctx, SymbolId s, int dynamicId)
    {
        SymbolBuilder plt = ctx.Symbols.Update(ctx.Known.Plt);
        SymbolBuilder gotPlt = ctx.Symbols.Update(ctx.Known.GotPlt);
        SymbolBuilder dynamic = ctx.Symbols.Update(ctx.Known.Dynamic);
        if (plt.Size == 0)
            throw new InvalidOperationException("plt is not set up");

        if (_symbolCount == 0)
        {
            // The Go linker takes an entry of .dynsym to have 20 bytes here, and so must we.
            const int EntrySize = 24;
            const int AssumedEntrySize = 20;
            _symbolCount = (ulong)(dynamicId * EntrySize / AssumedEntrySize);
            dynamic.SetUInt(_firstGotSymbolAt, _symbolCount, 8);
        }
        _symbolCount++;

        int entry = (int)plt.Size;
        long slot = gotPlt.Size;
        Add(plt, 0x3c0f0000, RelocKind.AddrMipsU, gotPlt.Symbol, slot); // lui $15, %hi(slot)
        Add(plt, 0xddf90000, RelocKind.AddrMips, gotPlt.Symbol, slot); // ld $25, %lo(slot)($15)
        plt.AddUInt32(0x03200008); // jr $25
        Add(plt, 0x65f80000, RelocKind.AddrMips, gotPlt.Symbol, slot); // daddiu $24, $15, %lo(slot)
        gotPlt.AddAddress(plt.Symbol);
        dynamic.SetUInt(_symbolCountAt, _symbolCount, 8);
        return entry;
    }

    private static void Add(SymbolBuilder plt, uint op, RelocKind kind, SymbolId target, long addend)
    {
        long end = plt.AddReference(target, addend, kind, 4);
        plt.SetUInt(end - 4, op, 4);
    }
}
