namespace AotLinker.Objects;

/// <summary>
/// What a relocation asks for (cmd/internal/objabi.RelocType), the union of all releases' kinds. The numbers in object files differ
/// between releases: <see cref="Releases.Release"/> maps them.
/// </summary>
internal enum RelocKind : byte
{
    /// <summary>No relocation.</summary>
    None,
    /// <summary>R_ADDR.</summary>
    Addr,
    /// <summary>R_ADDRPOWER.</summary>
    AddrPower,
    /// <summary>R_ADDRARM64.</summary>
    AddrArm64,
    /// <summary>R_ADDRMIPS.</summary>
    AddrMips,
    /// <summary>R_ADDROFF.</summary>
    AddrOff,
    /// <summary>R_SIZE.</summary>
    Size,
    /// <summary>R_CALL.</summary>
    Call,
    /// <summary>R_CALLARM.</summary>
    CallArm,
    /// <summary>R_CALLARM64.</summary>
    CallArm64,
    /// <summary>R_CALLIND.</summary>
    CallInd,
    /// <summary>R_CALLPOWER.</summary>
    CallPower,
    /// <summary>R_CALLMIPS.</summary>
    CallMips,
    /// <summary>R_CONST.</summary>
    Const,
    /// <summary>R_PCREL.</summary>
    PcRel,
    /// <summary>R_TLS_LE.</summary>
    TlsLe,
    /// <summary>R_TLS_IE.</summary>
    TlsIe,
    /// <summary>R_GOTOFF.</summary>
    GotOff,
    /// <summary>R_PLT0.</summary>
    Plt0,
    /// <summary>R_PLT1.</summary>
    Plt1,
    /// <summary>R_PLT2.</summary>
    Plt2,
    /// <summary>R_USEFIELD.</summary>
    UseField,
    /// <summary>R_USETYPE.</summary>
    UseType,
    /// <summary>R_USEIFACE.</summary>
    UseIface,
    /// <summary>R_USEIFACEMETHOD.</summary>
    UseIfaceMethod,
    /// <summary>R_USENAMEDMETHOD.</summary>
    UseNamedMethod,
    /// <summary>R_METHODOFF.</summary>
    MethodOff,
    /// <summary>R_KEEP.</summary>
    Keep,
    /// <summary>R_POWER_TOC.</summary>
    PowerToc,
    /// <summary>R_GOTPCREL.</summary>
    GotPcRel,
    /// <summary>R_JMPMIPS.</summary>
    JmpMips,
    /// <summary>R_DWARFSECREF.</summary>
    DwarfSecRef,
    /// <summary>R_ARM64_TLS_LE.</summary>
    Arm64TlsLe,
    /// <summary>R_ARM64_TLS_IE.</summary>
    Arm64TlsIe,
    /// <summary>R_ARM64_GOTPCREL.</summary>
    Arm64GotPcRel,
    /// <summary>R_ARM64_GOT.</summary>
    Arm64Got,
    /// <summary>R_ARM64_PCREL.</summary>
    Arm64PcRel,
    /// <summary>R_ARM64_PCREL_LDST8.</summary>
    Arm64PcRelLdSt8,
    /// <summary>R_ARM64_PCREL_LDST16.</summary>
    Arm64PcRelLdSt16,
    /// <summary>R_ARM64_PCREL_LDST32.</summary>
    Arm64PcRelLdSt32,
    /// <summary>R_ARM64_PCREL_LDST64.</summary>
    Arm64PcRelLdSt64,
    /// <summary>R_ARM64_LDST8.</summary>
    Arm64LdSt8,
    /// <summary>R_ARM64_LDST16.</summary>
    Arm64LdSt16,
    /// <summary>R_ARM64_LDST32.</summary>
    Arm64LdSt32,
    /// <summary>R_ARM64_LDST64.</summary>
    Arm64LdSt64,
    /// <summary>R_ARM64_LDST128.</summary>
    Arm64LdSt128,
    /// <summary>R_POWER_TLS_LE.</summary>
    PowerTlsLe,
    /// <summary>R_POWER_TLS_IE.</summary>
    PowerTlsIe,
    /// <summary>R_POWER_TLS.</summary>
    PowerTls,
    /// <summary>R_POWER_TLS_IE_PCREL34.</summary>
    PowerTlsIePcrel34,
    /// <summary>R_POWER_TLS_LE_TPREL34.</summary>
    PowerTlsLeTprel34,
    /// <summary>R_ADDRPOWER_DS.</summary>
    AddrPowerDs,
    /// <summary>R_ADDRPOWER_GOT.</summary>
    AddrPowerGot,
    /// <summary>R_ADDRPOWER_GOT_PCREL34.</summary>
    AddrPowerGotPcrel34,
    /// <summary>R_ADDRPOWER_PCREL.</summary>
    AddrPowerPcRel,
    /// <summary>R_ADDRPOWER_TOCREL.</summary>
    AddrPowerTocrel,
    /// <summary>R_ADDRPOWER_TOCREL_DS.</summary>
    AddrPowerTocrelDs,
    /// <summary>R_ADDRPOWER_D34.</summary>
    AddrPowerD34,
    /// <summary>R_ADDRPOWER_PCREL34.</summary>
    AddrPowerPcrel34,
    /// <summary>R_RISCV_JAL.</summary>
    RiscvJal,
    /// <summary>R_RISCV_JAL_TRAMP.</summary>
    RiscvJalTramp,
    /// <summary>R_RISCV_CALL.</summary>
    RiscvCall,
    /// <summary>R_RISCV_PCREL_ITYPE.</summary>
    RiscvPcRelItype,
    /// <summary>R_RISCV_PCREL_STYPE.</summary>
    RiscvPcRelStype,
    /// <summary>R_RISCV_TLS_IE.</summary>
    RiscvTlsIe,
    /// <summary>R_RISCV_TLS_LE.</summary>
    RiscvTlsLe,
    /// <summary>R_RISCV_GOT_HI20.</summary>
    RiscvGotHi20,
    /// <summary>R_RISCV_GOT_PCREL_ITYPE.</summary>
    RiscvGotPcRelItype,
    /// <summary>R_RISCV_PCREL_HI20.</summary>
    RiscvPcRelHi20,
    /// <summary>R_RISCV_PCREL_LO12_I.</summary>
    RiscvPcRelLo12I,
    /// <summary>R_RISCV_PCREL_LO12_S.</summary>
    RiscvPcRelLo12S,
    /// <summary>R_RISCV_BRANCH.</summary>
    RiscvBranch,
    /// <summary>R_RISCV_ADD32.</summary>
    RiscvAdd32,
    /// <summary>R_RISCV_SUB32.</summary>
    RiscvSub32,
    /// <summary>R_RISCV_RVC_BRANCH.</summary>
    RiscvRvcBranch,
    /// <summary>R_RISCV_RVC_JUMP.</summary>
    RiscvRvcJump,
    /// <summary>R_PCRELDBL.</summary>
    PcRelDbl,
    /// <summary>R_LOONG64_ADDR_HI.</summary>
    Loong64AddrHi,
    /// <summary>R_LOONG64_ADDR_LO.</summary>
    Loong64AddrLo,
    /// <summary>R_LOONG64_ADDR64_HI.</summary>
    Loong64Addr64Hi,
    /// <summary>R_LOONG64_ADDR64_LO.</summary>
    Loong64Addr64Lo,
    /// <summary>R_LOONG64_ADDR_PCREL20_S2.</summary>
    Loong64AddrPcrel20S2,
    /// <summary>R_LOONG64_TLS_LE_HI.</summary>
    Loong64TlsLeHi,
    /// <summary>R_LOONG64_TLS_LE_LO.</summary>
    Loong64TlsLeLo,
    /// <summary>R_CALLLOONG64.</summary>
    CallLoong64,
    /// <summary>R_LOONG64_CALL36.</summary>
    Loong64Call36,
    /// <summary>R_LOONG64_TLS_IE_HI.</summary>
    Loong64TlsIeHi,
    /// <summary>R_LOONG64_TLS_IE_LO.</summary>
    Loong64TlsIeLo,
    /// <summary>R_LOONG64_GOT_HI.</summary>
    Loong64GotHi,
    /// <summary>R_LOONG64_GOT_LO.</summary>
    Loong64GotLo,
    /// <summary>R_LOONG64_GOT64_HI.</summary>
    Loong64Got64Hi,
    /// <summary>R_LOONG64_GOT64_LO.</summary>
    Loong64Got64Lo,
    /// <summary>R_LOONG64_ADD64.</summary>
    Loong64Add64,
    /// <summary>R_LOONG64_SUB64.</summary>
    Loong64Sub64,
    /// <summary>R_JMP16LOONG64.</summary>
    Jmp16loong64,
    /// <summary>R_JMP21LOONG64.</summary>
    Jmp21loong64,
    /// <summary>R_JMPLOONG64.</summary>
    Jmploong64,
    /// <summary>R_ADDRMIPSU.</summary>
    AddrMipsU,
    /// <summary>R_ADDRMIPSTLS.</summary>
    AddrMipsTls,
    /// <summary>R_ADDRCUOFF.</summary>
    AddrCuOff,
    /// <summary>R_WASMIMPORT.</summary>
    WasmImport,
    /// <summary>R_XCOFFREF.</summary>
    XcoffRef,
    /// <summary>R_PEIMAGEOFF.</summary>
    PeImageOff,
    /// <summary>R_INITORDER.</summary>
    InitOrder,
    /// <summary>R_DWTXTADDR_U1.</summary>
    DwTxtAddrU1,
    /// <summary>R_DWTXTADDR_U2.</summary>
    DwTxtAddrU2,
    /// <summary>R_DWTXTADDR_U3.</summary>
    DwTxtAddrU3,
    /// <summary>R_DWTXTADDR_U4.</summary>
    DwTxtAddrU4,
    /// <summary>R_DWARFFILEREF, up to Go 1.24: nothing is done for it any more.</summary>
    DwarfFileRef,
    /// <summary>
    /// A relocation of a host object, in the numbering of its format and CPU (<see cref="RelocList.HostType"/>). The CPU turns it into one
    /// of the kinds above when it treats dynamic relocations; one that is left then is not applied.
    /// </summary>
    Host,
}

/// <summary>The flag beside the kind in an object file's relocation type.</summary>
internal static class RelocFlags
{
    /// <summary>R_WEAK: the reference does not keep its target alive.</summary>
    public const ushort Weak = 0x8000;

    /// <summary>First number of host objects' relocations, in linker-made records (objabi.ElfRelocOffset).</summary>
    public const int HostBase = 256;
}

/// <summary>Questions about relocation kinds (cmd/internal/objabi.RelocType's methods).</summary>
internal static class RelocKinds
{
    /// <summary>Whether the relocation is a direct call, whatever the CPU.</summary>
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.AggressiveInlining)]
    public static bool IsDirectCall(this RelocKind kind) => kind is RelocKind.Call or RelocKind.CallArm or RelocKind.CallArm64
        or RelocKind.CallLoong64 or RelocKind.CallMips or RelocKind.CallPower or RelocKind.RiscvCall or RelocKind.RiscvJal
        or RelocKind.RiscvJalTramp;

    /// <summary>Whether the target of a call or jump is part of the instruction (IsDirectCallOrJump).</summary>
    public static bool IsDirectCallOrJump(this RelocKind kind) => kind.IsDirectCall() || kind == RelocKind.JmpMips;

    /// <summary>Whether only the CPU that the kind belongs to can say what it does (relocsym's default case).</summary>
    public static bool IsOfCpu(this RelocKind kind) => kind is not (RelocKind.Addr or RelocKind.PeImageOff or RelocKind.Call
        or RelocKind.PcRel or RelocKind.GotPcRel or RelocKind.MethodOff or RelocKind.AddrOff or RelocKind.Size or RelocKind.Const
        or RelocKind.GotOff or RelocKind.TlsLe or RelocKind.TlsIe or RelocKind.AddrCuOff or RelocKind.DwarfSecRef
        or RelocKind.XcoffRef or RelocKind.DwarfFileRef or RelocKind.Host);

    /// <summary>The name cmd/link prints for a kind (objabi.RelocType.String).</summary>
    public static string GoName(this RelocKind kind) => kind switch
    {
        RelocKind.Addr => "R_ADDR",
        RelocKind.AddrPower => "R_ADDRPOWER",
        RelocKind.AddrArm64 => "R_ADDRARM64",
        RelocKind.AddrMips => "R_ADDRMIPS",
        RelocKind.AddrOff => "R_ADDROFF",
        RelocKind.Size => "R_SIZE",
        RelocKind.Call => "R_CALL",
        RelocKind.CallArm => "R_CALLARM",
        RelocKind.CallArm64 => "R_CALLARM64",
        RelocKind.CallInd => "R_CALLIND",
        RelocKind.CallPower => "R_CALLPOWER",
        RelocKind.CallMips => "R_CALLMIPS",
        RelocKind.Const => "R_CONST",
        RelocKind.PcRel => "R_PCREL",
        RelocKind.TlsLe => "R_TLS_LE",
        RelocKind.TlsIe => "R_TLS_IE",
        RelocKind.GotOff => "R_GOTOFF",
        RelocKind.Plt0 => "R_PLT0",
        RelocKind.Plt1 => "R_PLT1",
        RelocKind.Plt2 => "R_PLT2",
        RelocKind.UseField => "R_USEFIELD",
        RelocKind.UseType => "R_USETYPE",
        RelocKind.UseIface => "R_USEIFACE",
        RelocKind.UseIfaceMethod => "R_USEIFACEMETHOD",
        RelocKind.UseNamedMethod => "R_USENAMEDMETHOD",
        RelocKind.MethodOff => "R_METHODOFF",
        RelocKind.Keep => "R_KEEP",
        RelocKind.PowerToc => "R_POWER_TOC",
        RelocKind.GotPcRel => "R_GOTPCREL",
        RelocKind.JmpMips => "R_JMPMIPS",
        RelocKind.DwarfSecRef => "R_DWARFSECREF",
        RelocKind.Arm64TlsLe => "R_ARM64_TLS_LE",
        RelocKind.Arm64TlsIe => "R_ARM64_TLS_IE",
        RelocKind.Arm64GotPcRel => "R_ARM64_GOTPCREL",
        RelocKind.Arm64Got => "R_ARM64_GOT",
        RelocKind.Arm64PcRel => "R_ARM64_PCREL",
        RelocKind.Arm64PcRelLdSt8 => "R_ARM64_PCREL_LDST8",
        RelocKind.Arm64PcRelLdSt16 => "R_ARM64_PCREL_LDST16",
        RelocKind.Arm64PcRelLdSt32 => "R_ARM64_PCREL_LDST32",
        RelocKind.Arm64PcRelLdSt64 => "R_ARM64_PCREL_LDST64",
        RelocKind.Arm64LdSt8 => "R_ARM64_LDST8",
        RelocKind.Arm64LdSt16 => "R_ARM64_LDST16",
        RelocKind.Arm64LdSt32 => "R_ARM64_LDST32",
        RelocKind.Arm64LdSt64 => "R_ARM64_LDST64",
        RelocKind.Arm64LdSt128 => "R_ARM64_LDST128",
        RelocKind.PowerTlsLe => "R_POWER_TLS_LE",
        RelocKind.PowerTlsIe => "R_POWER_TLS_IE",
        RelocKind.PowerTls => "R_POWER_TLS",
        RelocKind.PowerTlsIePcrel34 => "R_POWER_TLS_IE_PCREL34",
        RelocKind.PowerTlsLeTprel34 => "R_POWER_TLS_LE_TPREL34",
        RelocKind.AddrPowerDs => "R_ADDRPOWER_DS",
        RelocKind.AddrPowerGot => "R_ADDRPOWER_GOT",
        RelocKind.AddrPowerGotPcrel34 => "R_ADDRPOWER_GOT_PCREL34",
        RelocKind.AddrPowerPcRel => "R_ADDRPOWER_PCREL",
        RelocKind.AddrPowerTocrel => "R_ADDRPOWER_TOCREL",
        RelocKind.AddrPowerTocrelDs => "R_ADDRPOWER_TOCREL_DS",
        RelocKind.AddrPowerD34 => "R_ADDRPOWER_D34",
        RelocKind.AddrPowerPcrel34 => "R_ADDRPOWER_PCREL34",
        RelocKind.RiscvJal => "R_RISCV_JAL",
        RelocKind.RiscvJalTramp => "R_RISCV_JAL_TRAMP",
        RelocKind.RiscvCall => "R_RISCV_CALL",
        RelocKind.RiscvPcRelItype => "R_RISCV_PCREL_ITYPE",
        RelocKind.RiscvPcRelStype => "R_RISCV_PCREL_STYPE",
        RelocKind.RiscvTlsIe => "R_RISCV_TLS_IE",
        RelocKind.RiscvTlsLe => "R_RISCV_TLS_LE",
        RelocKind.RiscvGotHi20 => "R_RISCV_GOT_HI20",
        RelocKind.RiscvGotPcRelItype => "R_RISCV_GOT_PCREL_ITYPE",
        RelocKind.RiscvPcRelHi20 => "R_RISCV_PCREL_HI20",
        RelocKind.RiscvPcRelLo12I => "R_RISCV_PCREL_LO12_I",
        RelocKind.RiscvPcRelLo12S => "R_RISCV_PCREL_LO12_S",
        RelocKind.RiscvBranch => "R_RISCV_BRANCH",
        RelocKind.RiscvAdd32 => "R_RISCV_ADD32",
        RelocKind.RiscvSub32 => "R_RISCV_SUB32",
        RelocKind.RiscvRvcBranch => "R_RISCV_RVC_BRANCH",
        RelocKind.RiscvRvcJump => "R_RISCV_RVC_JUMP",
        RelocKind.PcRelDbl => "R_PCRELDBL",
        RelocKind.Loong64AddrHi => "R_LOONG64_ADDR_HI",
        RelocKind.Loong64AddrLo => "R_LOONG64_ADDR_LO",
        RelocKind.Loong64Addr64Hi => "R_LOONG64_ADDR64_HI",
        RelocKind.Loong64Addr64Lo => "R_LOONG64_ADDR64_LO",
        RelocKind.Loong64AddrPcrel20S2 => "R_LOONG64_ADDR_PCREL20_S2",
        RelocKind.Loong64TlsLeHi => "R_LOONG64_TLS_LE_HI",
        RelocKind.Loong64TlsLeLo => "R_LOONG64_TLS_LE_LO",
        RelocKind.CallLoong64 => "R_CALLLOONG64",
        RelocKind.Loong64Call36 => "R_LOONG64_CALL36",
        RelocKind.Loong64TlsIeHi => "R_LOONG64_TLS_IE_HI",
        RelocKind.Loong64TlsIeLo => "R_LOONG64_TLS_IE_LO",
        RelocKind.Loong64GotHi => "R_LOONG64_GOT_HI",
        RelocKind.Loong64GotLo => "R_LOONG64_GOT_LO",
        RelocKind.Loong64Got64Hi => "R_LOONG64_GOT64_HI",
        RelocKind.Loong64Got64Lo => "R_LOONG64_GOT64_LO",
        RelocKind.Loong64Add64 => "R_LOONG64_ADD64",
        RelocKind.Loong64Sub64 => "R_LOONG64_SUB64",
        RelocKind.Jmp16loong64 => "R_JMP16LOONG64",
        RelocKind.Jmp21loong64 => "R_JMP21LOONG64",
        RelocKind.Jmploong64 => "R_JMPLOONG64",
        RelocKind.AddrMipsU => "R_ADDRMIPSU",
        RelocKind.AddrMipsTls => "R_ADDRMIPSTLS",
        RelocKind.AddrCuOff => "R_ADDRCUOFF",
        RelocKind.WasmImport => "R_WASMIMPORT",
        RelocKind.XcoffRef => "R_XCOFFREF",
        RelocKind.PeImageOff => "R_PEIMAGEOFF",
        RelocKind.InitOrder => "R_INITORDER",
        RelocKind.DwTxtAddrU1 => "R_DWTXTADDR_U1",
        RelocKind.DwTxtAddrU2 => "R_DWTXTADDR_U2",
        RelocKind.DwTxtAddrU3 => "R_DWTXTADDR_U3",
        RelocKind.DwTxtAddrU4 => "R_DWTXTADDR_U4",
        RelocKind.DwarfFileRef => "R_DWARFFILEREF",
        _ => "RelocType(0)",
    };
}
