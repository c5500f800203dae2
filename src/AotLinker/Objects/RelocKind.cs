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
}

/// <summary>The flag beside the kind in an object file's relocation type.</summary>
internal static class RelocFlags
{
    /// <summary>R_WEAK: the reference does not keep its target alive.</summary>
    public const ushort Weak = 0x8000;
}

/// <summary>Questions about relocation kinds (cmd/internal/objabi.RelocType's methods).</summary>
internal static class RelocKinds
{
    /// <summary>Whether the relocation is a direct call, whatever the CPU.</summary>
    public static bool IsDirectCall(this RelocKind kind) => kind is RelocKind.Call or RelocKind.CallArm or RelocKind.CallArm64
        or RelocKind.CallLoong64 or RelocKind.CallMips or RelocKind.CallPower or RelocKind.RiscvCall or RelocKind.RiscvJal
        or RelocKind.RiscvJalTramp;
}
