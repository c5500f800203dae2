using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Formats.Elf;

/// <summary>
/// ELF for 32-bit ARM (ELF for the Arm Architecture, EABI 5). Addends stand in the relocated places. A PLT entry has three
/// instructions, which take apart the distance to its slot; .plt must lie in front of .got.plt. Programs are always dynamic ones as far
/// as -d goes.
/// </summary>
internal sealed class ElfArm : ElfCpu
{
    /// <summary>R_ARM_PC24: a branch of old objects.</summary>
    public const uint HostPc24 = 1;

    /// <summary>R_ARM_ABS32: the address.</summary>
    public const uint HostAbsolute32 = 2;

    /// <summary>R_ARM_REL32: the distance, from the field's start.</summary>
    public const uint HostRel32 = 3;

    /// <summary>R_ARM_THM_CALL: a call from Thumb code.</summary>
    public const uint HostThumbCall = 10;

    /// <summary>R_ARM_GLOB_DAT: the address, in a GOT entry.</summary>
    public const uint GlobDat = 21;

    /// <summary>R_ARM_GOTOFF32: the symbol's distance from the GOT.</summary>
    public const uint HostGotOff = 24;

    /// <summary>R_ARM_BASE_PREL: the distance of the GOT.</summary>
    public const uint HostGotPc = 25;

    /// <summary>R_ARM_GOT_BREL: the offset of the symbol's GOT entry in the GOT.</summary>
    public const uint HostGot32 = 26;

    /// <summary>R_ARM_PLT32: a call that may go through the PLT.</summary>
    public const uint HostPlt32 = 27;

    /// <summary>R_ARM_CALL: a call.</summary>
    public const uint HostCall = 28;

    /// <summary>R_ARM_JUMP24: a jump or a conditional call.</summary>
    public const uint HostJump24 = 29;

    /// <summary>R_ARM_V4BX: marks a jump that old CPUs do without.</summary>
    public const uint HostV4Bx = 40;

    /// <summary>R_ARM_GOT_PREL: the distance of the symbol's GOT entry.</summary>
    public const uint HostGotPrel = 96;

    private const uint JumpSlot = 22;
    private const uint HostTlsIe32 = 107;
    private const uint HostTlsLe32 = 108;

    // e_flags: version 5 of the EABI, and "has entry point", which means nothing any more; then the two floating-point ABIs.
    private const uint Eabi5 = 0x05000002;
    private const uint SoftFloatAbi = 0x200;
    private const uint HardFloatAbi = 0x400;

    private const uint AttributesSection = 0x70000003;

    /// <summary>The one instance.</summary>
    public static ElfArm Instance { get; } = new()
    {
        Machine = ElfMachine.Arm,
        FamilyName = "arm",
        Is64 = false,
        HasAddends = false,
        ImageBase = 0x10000,
        Round = 0x10000,
        PltEntrySize = 4,
        RelativeType = 23,
        MakesObjects = true,
        IgnoresNoDynamic = true,
        Systems =
        [
            (HeadType.Linux, "/lib/ld-linux.so.3"),
            (HeadType.FreeBsd, "/usr/libexec/ld-elf.so.1"),
            (HeadType.OpenBsd, "/usr/libexec/ld.so"),
            (HeadType.NetBsd, "/libexec/ld.elf_so"),
        ],
        MuslInterpreter = "/lib/ld-musl-arm.so.1",
    };

    /// <summary>
    /// Go's code calls no C functions with floating-point arguments, so that the ABI for these is left open until a host object tells
    /// (<see cref="FlagsWithAttributes"/>).
    /// </summary>
    public override uint Flags(HeadType system, Release release) =>
        system is HeadType.Linux or HeadType.FreeBsd or HeadType.NetBsd ? Eabi5 : 0;

    /// <inheritdoc/>
    public override (int Size, int AddendSize)? HostRelocationSize(uint type) => type switch
    {
        HostAbsolute32 or HostGot32 or HostPlt32 or HostGotOff or HostGotPc or HostThumbCall or HostRel32 or HostCall or HostV4Bx
            or HostGotPrel or HostPc24 or HostJump24 => (4, 4),
        _ => null,
    };

    /// <inheritdoc/>
    public override bool IsMappingSymbol(ReadOnlySpan<byte> name) =>
        name.StartsWith("$a"u8) || name.StartsWith("$d"u8) || name.StartsWith("$x"u8);

    /// <inheritdoc/>
    public override bool ExportsFunction(bool exportedStatic, bool exportedDynamic) => exportedDynamic;

    /// <summary>The thread pointer points eight bytes in front of the block, whatever is in it.</summary>
    public override long ThreadLocalOffset(LinkContext ctx, SymbolId target, long addend) => 8 + ctx.Symbols.Value(target);

    /// <summary>
    /// An object that passes floating-point arguments in registers makes the program do so; any other object with attributes, if it
    /// comes first, makes it one that doesn't (loadelf.parseArmAttributes).
    /// </summary>
    public override uint? FlagsWithAttributes(uint flags, uint type, string name, ReadOnlySpan<byte> content, out string? complaint)
    {
        complaint = null;
        if (type != AttributesSection || name != ".ARM.attributes")
            return null;
        if (ArmAttributes.PassFloatsInRegisters(content, out complaint))
            return Eabi5 | HardFloatAbi;
        return flags == Eabi5 ? Eabi5 | SoftFloatAbi : flags;
    }

    /// <inheritdoc/>
    public override ElfObjectRelocation? ObjectRelocation(in ElfRelocationRequest r) => ElfObjectRelocation.Of((r.Kind, r.Size) switch
    {
        (RelocKind.Addr or RelocKind.DwarfSecRef, 4) => HostAbsolute32,
        (RelocKind.PcRel, 4) => HostRel32,
        (RelocKind.CallArm, 4) => r.Variant == 0 ? HostCall : HostJump24,
        (RelocKind.TlsLe, _) => HostTlsLe32,
        (RelocKind.TlsIe, _) => HostTlsIe32,
        (RelocKind.GotPcRel, 4) => HostGotPrel,
        _ => (uint?)null,
    });

    /// <inheritdoc/>
    public override void SetUpPlt(LinkContext ctx, SymbolBuilder plt, SymbolBuilder gotPlt, SymbolId dynamic)
    {
        // str lr, [sp, #-4]!; ldr lr, [pc, #4]; add lr, pc, lr; ldr pc, [lr, #8]!; and the distance that the second one loads
        plt.AddUInt32(0xe52de004);
        plt.AddUInt32(0xe59fe004);
        plt.AddUInt32(0xe08fe00e);
        plt.AddUInt32(0xe5bef008);
        plt.AddPcRelative4(gotPlt.Symbol, 4);

        // The dynamic linker's own.
        gotPlt.AddUInt32(0);
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

        // Slots first lead to the resolver; FreeBSD's dynamic linker does not see to that itself.
        int slot = (int)gotPlt.Size;
        ctx.Symbols.GotOffset[s] = slot;
        gotPlt.AddAddress(plt.Symbol);

        // Read as an operand, the program counter is eight bytes ahead.
        int entry = (int)plt.Size;
        plt.AddReference(gotPlt.Symbol, slot - 8, RelocKind.Plt0, 4);
        plt.AddReference(gotPlt.Symbol, slot - 8, RelocKind.Plt1, 4);
        plt.AddReference(gotPlt.Symbol, slot - 8, RelocKind.Plt2, 4);
        plt.SetReachable();

        relPlt.AddAddress(gotPlt.Symbol, slot);
        relPlt.AddUInt32(((uint)dynamicId << 8) | JumpSlot);
        return entry;
    }
}
