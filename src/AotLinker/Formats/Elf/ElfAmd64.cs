using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Formats.Elf;

/// <summary>
/// ELF for x86-64 (System V ABI, AMD64 supplement). PLT entries have 16 bytes and jump through .got.plt relative to the instruction
/// pointer; the first one pushes the link map and jumps to the resolver.
/// </summary>
internal sealed class ElfAmd64 : ElfCpu
{
    /// <summary>R_X86_64_64: the address.</summary>
    public const uint HostAbsolute64 = 1;

    /// <summary>R_X86_64_PC32: the distance, from the field's start.</summary>
    public const uint HostPc32 = 2;

    /// <summary>R_X86_64_PLT32: the distance of the function or of its PLT entry.</summary>
    public const uint HostPlt32 = 4;

    /// <summary>R_X86_64_GOTPCREL: the distance of the symbol's GOT entry.</summary>
    public const uint HostGotPcRel = 9;

    /// <summary>R_X86_64_PC64: the distance, in 64 bits.</summary>
    public const uint HostPc64 = 24;

    /// <summary>R_X86_64_GOTPCRELX: like <see cref="HostGotPcRel"/>, the instruction may be changed.</summary>
    public const uint HostGotPcRelX = 41;

    /// <summary>R_X86_64_REX_GOTPCRELX: the same with a REX prefix.</summary>
    public const uint HostRexGotPcRelX = 42;

    private const uint JumpSlot = 7;
    private const uint HostAbsolute32 = 10;
    private const uint HostGotTpOff = 22;
    private const uint HostTpOff32 = 23;

    /// <summary>The one instance.</summary>
    public static ElfAmd64 Instance { get; } = new()
    {
        Machine = ElfMachine.X86_64,
        FamilyName = "amd64",
        Is64 = true,
        HasAddends = true,
        ImageBase = 1 << 22,
        Round = 4096,
        PltEntrySize = 16,
        RelativeType = 8,
        MakesObjects = true,
        Systems =
        [
            (HeadType.Linux, "/lib64/ld-linux-x86-64.so.2"),
            (HeadType.FreeBsd, "/libexec/ld-elf.so.1"),
            (HeadType.OpenBsd, "/usr/libexec/ld.so"),
            (HeadType.NetBsd, "/libexec/ld.elf_so"),
            (HeadType.DragonFly, "/usr/libexec/ld-elf.so.2"),
            (HeadType.Solaris, "/lib/amd64/ld.so.1"),
        ],
        MuslInterpreter = "/lib/ld-musl-x86_64.so.1",
    };

    /// <inheritdoc/>
    public override (int Size, int AddendSize)? HostRelocationSize(uint type) => type switch
    {
        HostPc32 or HostPlt32 or HostGotPcRel or HostGotPcRelX or HostRexGotPcRelX => (4, 4),
        HostAbsolute64 or HostPc64 => (8, 8),
        _ => null,
    };

    /// <inheritdoc/>
    public override ElfObjectRelocation? ObjectRelocation(in ElfRelocationRequest r) => ElfObjectRelocation.Of((r.Kind, r.Size) switch
    {
        (RelocKind.Addr or RelocKind.DwarfSecRef, 4) => HostAbsolute32,
        (RelocKind.Addr or RelocKind.DwarfSecRef, 8) => HostAbsolute64,
        (RelocKind.TlsLe, 4) => HostTpOff32,
        (RelocKind.TlsIe, 4) => HostGotTpOff,
        (RelocKind.Call, 4) => r.IsImport ? HostPlt32 : HostPc32,
        (RelocKind.PcRel, 4) => r.IsImportedFunction ? HostPlt32 : HostPc32,
        (RelocKind.GotPcRel, 4) => HostGotPcRel,
        _ => (uint?)null,
    });

    /// <inheritdoc/>
    public override void SetUpPlt(LinkContext ctx, SymbolBuilder plt, SymbolBuilder gotPlt, SymbolId dynamic)
    {
        // pushq got+8(%rip); jmpq *got+16(%rip); nopl 0(%rax)
        plt.AddBytes([0xff, 0x35]);
        plt.AddPcRelative4(gotPlt.Symbol, 8);
        plt.AddBytes([0xff, 0x25]);
        plt.AddPcRelative4(gotPlt.Symbol, 16);
        plt.AddBytes([0x0f, 0x1f, 0x40, 0x00]);

        // The dynamic section for the resolver; the two others are the dynamic linker's own.
        gotPlt.AddAddress(dynamic);
        gotPlt.AddUInt64(0);
        gotPlt.AddUInt64(0);
    }

    /// <inheritdoc/>
    public override int AddPltEntry(LinkContext ctx, SymbolId s, int dynamicId)
    {
        SymbolBuilder plt = ctx.Symbols.Update(ctx.Known.Plt);
        SymbolBuilder gotPlt = ctx.Symbols.Update(ctx.Known.GotPlt);
        SymbolBuilder relaPlt = ctx.Symbols.Update(ctx.Known.RelaPlt);
        if (plt.Size == 0)
            throw new InvalidOperationException("plt is not set up");

        // jmpq *slot(%rip); the slot first holds the address of the next instruction.
        int entry = (int)plt.Size;
        long slot = gotPlt.Size;
        plt.AddBytes([0xff, 0x25]);
        plt.AddPcRelative4(gotPlt.Symbol, slot);
        gotPlt.AddAddress(plt.Symbol, plt.Size);

        // pushq $index; jmpq .plt. The first three slots of .got.plt are reserved.
        plt.AddUInt8(0x68);
        plt.AddUInt32((uint)((slot / 8) - 3));
        plt.AddUInt8(0xe9);
        plt.AddUInt32((uint)-(plt.Size + 4));

        relaPlt.AddAddress(gotPlt.Symbol, slot);
        relaPlt.AddUInt64(((ulong)dynamicId << 32) | JumpSlot);
        relaPlt.AddUInt64(0);
        return entry;
    }
}
