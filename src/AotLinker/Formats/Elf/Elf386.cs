using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Formats.Elf;

/// <summary>
/// ELF for 32-bit x86 (System V ABI, Intel386 supplement). Addends stand in the relocated places. PLT entries have 16 bytes and jump
/// through .got.plt by its address; the first one pushes the link map and jumps to the resolver.
/// </summary>
internal sealed class Elf386 : ElfCpu
{
    /// <summary>R_386_32: the address.</summary>
    public const uint HostAbsolute32 = 1;

    /// <summary>R_386_PC32: the distance, from the field's start.</summary>
    public const uint HostPc32 = 2;

    /// <summary>R_386_GOT32: the offset of the symbol's GOT entry in the GOT.</summary>
    public const uint HostGot32 = 3;

    /// <summary>R_386_PLT32: the distance of the function or of its PLT entry.</summary>
    public const uint HostPlt32 = 4;

    /// <summary>R_386_GLOB_DAT: the address, in a GOT entry.</summary>
    public const uint GlobDat = 6;

    /// <summary>R_386_GOTOFF: the symbol's distance from the GOT.</summary>
    public const uint HostGotOff = 9;

    /// <summary>R_386_GOTPC: the distance of the GOT.</summary>
    public const uint HostGotPc = 10;

    /// <summary>R_386_GOT32X: like <see cref="HostGot32"/>, the instruction may be changed.</summary>
    public const uint HostGot32X = 43;

    private const uint JumpSlot = 7;
    private const uint HostTlsGotIe = 16;
    private const uint HostTlsLe = 17;

    /// <summary>The one instance.</summary>
    public static Elf386 Instance { get; } = new()
    {
        Machine = ElfMachine.I386,
        FamilyName = "386",
        Is64 = false,
        HasAddends = false,
        ImageBase = 0x08048000,
        Round = 4096,
        PltEntrySize = 4,
        RelativeType = 8,
        MakesObjects = true,
        Systems =
        [
            (HeadType.Linux, "/lib/ld-linux.so.2"),
            (HeadType.FreeBsd, "/usr/libexec/ld-elf.so.1"),
            (HeadType.OpenBsd, "/usr/libexec/ld.so"),
            (HeadType.NetBsd, "/usr/libexec/ld.elf_so"),
        ],
        MuslInterpreter = "/lib/ld-musl-i386.so.1",
    };

    /// <inheritdoc/>
    public override (int Size, int AddendSize)? HostRelocationSize(uint type) => type switch
    {
        HostAbsolute32 or HostPc32 or HostGot32 or HostPlt32 or HostGotOff or HostGotPc or HostGot32X => (4, 4),
        _ => null,
    };

    /// <inheritdoc/>
    /// <remarks>What is found by way of the GOT takes the GOT's distance as well.</remarks>
    public override int ObjectRelocationParts(RelocKind kind) => kind is RelocKind.GotPcRel or RelocKind.TlsIe ? 2 : 1;

    /// <inheritdoc/>
    public override ElfObjectRelocation? ObjectRelocation(in ElfRelocationRequest r)
    {
        if (r.Size != 4)
            return null;
        return r.Kind switch
        {
            RelocKind.Addr or RelocKind.DwarfSecRef => new(HostAbsolute32),
            RelocKind.Call => new(r.IsImport ? HostPlt32 : HostPc32),
            RelocKind.PcRel => new(HostPc32),
            RelocKind.TlsLe => new(HostTlsLe),
            RelocKind.GotPcRel or RelocKind.TlsIe when r.Part == 0 => new(HostGotPc) { HasNoSymbol = true },
            RelocKind.GotPcRel => new(HostGot32),
            RelocKind.TlsIe => new(HostTlsGotIe),
            _ => null,
        };
    }

    /// <inheritdoc/>
    public override void SetUpPlt(LinkContext ctx, SymbolBuilder plt, SymbolBuilder gotPlt, SymbolId dynamic)
    {
        // pushl got+4; jmp *got+8; zeros up to the size of an entry
        plt.AddBytes([0xff, 0x35]);
        plt.AddAddress(gotPlt.Symbol, 4);
        plt.AddBytes([0xff, 0x25]);
        plt.AddAddress(gotPlt.Symbol, 8);
        plt.AddUInt32(0);

        // The dynamic section for the resolver; the two others are the dynamic linker's own.
        gotPlt.AddAddress(dynamic);
        gotPlt.AddUInt32(0);
        gotPlt.AddUInt32(0);
    }

    /// <inheritdoc/>
    public override int AddPltEntry(LinkContext ctx, SymbolId s, int dynamicId)
    {
        SymbolBuilder plt = ctx.Symbols.Update(ctx.Known.Plt);
        SymbolBuilder gotPlt = ctx.Symbols.Update(ctx.Known.GotPlt);
        SymbolBuilder relPlt = ctx.Symbols.Update(ctx.Known.RelPlt);
        if (plt.Size == 0)
            throw new InvalidOperationException("plt is not set up");

        // jmp *slot; the slot first holds the address of the next instruction.
        int entry = (int)plt.Size;
        long slot = gotPlt.Size;
        plt.AddBytes([0xff, 0x25]);
        plt.AddAddress(gotPlt.Symbol, slot);
        gotPlt.AddAddress(plt.Symbol, plt.Size);

        // pushl $offset of the relocation; jmp .plt
        plt.AddUInt8(0x68);
        plt.AddUInt32((uint)relPlt.Size);
        plt.AddUInt8(0xe9);
        plt.AddUInt32((uint)-(plt.Size + 4));

        relPlt.AddAddress(gotPlt.Symbol, slot);
        relPlt.AddUInt32(((uint)dynamicId << 8) | JumpSlot);
        return entry;
    }
}
