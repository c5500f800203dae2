using AotLinker.Objects;

namespace AotLinker.Releases;

/// <summary>Tables of Go 1.27: relocation numbers (cmd/internal/objabi) and builtin functions (cmd/internal/goobj).</summary>
internal static class Go127Tables
{
    /// <summary>The symbol kind for each number an object file may carry (cmd/internal/objabi).</summary>
    public static ReadOnlySpan<byte> ObjectSymbolKinds =>
    [
        (byte)SymbolKind.None,
        (byte)SymbolKind.Text,
        (byte)SymbolKind.TextFips,
        (byte)SymbolKind.RoData,
        (byte)SymbolKind.RoDataFips,
        (byte)SymbolKind.NoPtrData,
        (byte)SymbolKind.NoPtrDataFips,
        (byte)SymbolKind.Data,
        (byte)SymbolKind.DataFips,
        (byte)SymbolKind.Bss,
        (byte)SymbolKind.NoPtrBss,
        (byte)SymbolKind.TlsBss,
        (byte)SymbolKind.DwarfCuInfo,
        (byte)SymbolKind.DwarfConst,
        (byte)SymbolKind.DwarfFcn,
        (byte)SymbolKind.DwarfAbsFcn,
        (byte)SymbolKind.DwarfType,
        (byte)SymbolKind.DwarfVar,
        (byte)SymbolKind.DwarfRange,
        (byte)SymbolKind.DwarfLoc,
        (byte)SymbolKind.DwarfLines,
        (byte)SymbolKind.DwarfAddr,
        (byte)SymbolKind.LibFuzzer8BitCounter,
        (byte)SymbolKind.CoverageCounter,
        (byte)SymbolKind.CoverageAuxVar,
        (byte)SymbolKind.SehUnwindInfo,
    ];

    /// <summary>The relocation kind for each number an object file of this release may carry.</summary>
    public static ReadOnlySpan<byte> RelocKinds =>
    [
        (byte)RelocKind.None,
        (byte)RelocKind.Addr,
        (byte)RelocKind.AddrPower,
        (byte)RelocKind.AddrArm64,
        (byte)RelocKind.AddrMips,
        (byte)RelocKind.AddrOff,
        (byte)RelocKind.Size,
        (byte)RelocKind.Call,
        (byte)RelocKind.CallArm,
        (byte)RelocKind.CallArm64,
        (byte)RelocKind.CallInd,
        (byte)RelocKind.CallPower,
        (byte)RelocKind.CallMips,
        (byte)RelocKind.Const,
        (byte)RelocKind.PcRel,
        (byte)RelocKind.TlsLe,
        (byte)RelocKind.TlsIe,
        (byte)RelocKind.GotOff,
        (byte)RelocKind.Plt0,
        (byte)RelocKind.Plt1,
        (byte)RelocKind.Plt2,
        (byte)RelocKind.UseField,
        (byte)RelocKind.UseType,
        (byte)RelocKind.UseIface,
        (byte)RelocKind.UseIfaceMethod,
        (byte)RelocKind.UseNamedMethod,
        (byte)RelocKind.MethodOff,
        (byte)RelocKind.Keep,
        (byte)RelocKind.PowerToc,
        (byte)RelocKind.GotPcRel,
        (byte)RelocKind.JmpMips,
        (byte)RelocKind.DwarfSecRef,
        (byte)RelocKind.Arm64TlsLe,
        (byte)RelocKind.Arm64TlsIe,
        (byte)RelocKind.Arm64GotPcRel,
        (byte)RelocKind.Arm64Got,
        (byte)RelocKind.Arm64PcRel,
        (byte)RelocKind.Arm64PcRelLdSt8,
        (byte)RelocKind.Arm64PcRelLdSt16,
        (byte)RelocKind.Arm64PcRelLdSt32,
        (byte)RelocKind.Arm64PcRelLdSt64,
        (byte)RelocKind.Arm64LdSt8,
        (byte)RelocKind.Arm64LdSt16,
        (byte)RelocKind.Arm64LdSt32,
        (byte)RelocKind.Arm64LdSt64,
        (byte)RelocKind.Arm64LdSt128,
        (byte)RelocKind.PowerTlsLe,
        (byte)RelocKind.PowerTlsIe,
        (byte)RelocKind.PowerTls,
        (byte)RelocKind.PowerTlsIePcrel34,
        (byte)RelocKind.PowerTlsLeTprel34,
        (byte)RelocKind.AddrPowerDs,
        (byte)RelocKind.AddrPowerGot,
        (byte)RelocKind.AddrPowerGotPcrel34,
        (byte)RelocKind.AddrPowerPcRel,
        (byte)RelocKind.AddrPowerTocrel,
        (byte)RelocKind.AddrPowerTocrelDs,
        (byte)RelocKind.AddrPowerD34,
        (byte)RelocKind.AddrPowerPcrel34,
        (byte)RelocKind.RiscvJal,
        (byte)RelocKind.RiscvJalTramp,
        (byte)RelocKind.RiscvCall,
        (byte)RelocKind.RiscvPcRelItype,
        (byte)RelocKind.RiscvPcRelStype,
        (byte)RelocKind.RiscvTlsIe,
        (byte)RelocKind.RiscvTlsLe,
        (byte)RelocKind.RiscvGotHi20,
        (byte)RelocKind.RiscvGotPcRelItype,
        (byte)RelocKind.RiscvPcRelHi20,
        (byte)RelocKind.RiscvPcRelLo12I,
        (byte)RelocKind.RiscvPcRelLo12S,
        (byte)RelocKind.RiscvBranch,
        (byte)RelocKind.RiscvAdd32,
        (byte)RelocKind.RiscvSub32,
        (byte)RelocKind.RiscvRvcBranch,
        (byte)RelocKind.RiscvRvcJump,
        (byte)RelocKind.PcRelDbl,
        (byte)RelocKind.Loong64AddrHi,
        (byte)RelocKind.Loong64AddrLo,
        (byte)RelocKind.Loong64Addr64Hi,
        (byte)RelocKind.Loong64Addr64Lo,
        (byte)RelocKind.Loong64AddrPcrel20S2,
        (byte)RelocKind.Loong64TlsLeHi,
        (byte)RelocKind.Loong64TlsLeLo,
        (byte)RelocKind.CallLoong64,
        (byte)RelocKind.Loong64Call36,
        (byte)RelocKind.Loong64TlsIeHi,
        (byte)RelocKind.Loong64TlsIeLo,
        (byte)RelocKind.Loong64GotHi,
        (byte)RelocKind.Loong64GotLo,
        (byte)RelocKind.Loong64Got64Hi,
        (byte)RelocKind.Loong64Got64Lo,
        (byte)RelocKind.Loong64Add64,
        (byte)RelocKind.Loong64Sub64,
        (byte)RelocKind.Jmp16loong64,
        (byte)RelocKind.Jmp21loong64,
        (byte)RelocKind.AddrMipsU,
        (byte)RelocKind.AddrMipsTls,
        (byte)RelocKind.AddrCuOff,
        (byte)RelocKind.WasmImport,
        (byte)RelocKind.XcoffRef,
        (byte)RelocKind.PeImageOff,
        (byte)RelocKind.InitOrder,
        (byte)RelocKind.DwTxtAddrU1,
        (byte)RelocKind.DwTxtAddrU2,
        (byte)RelocKind.DwTxtAddrU3,
        (byte)RelocKind.DwTxtAddrU4,
    ];

    /// <summary>The builtin symbols by index, one per line: the ABI's digit (0 ABI0, 1 ABIInternal), then the name.</summary>
    public static ReadOnlySpan<byte> Builtins =>
        "1runtime.newobject\n"u8 +
        "1runtime.mallocgc\n"u8 +
        "1runtime.panicdivide\n"u8 +
        "1runtime.panicshift\n"u8 +
        "1runtime.panicmakeslicelen\n"u8 +
        "1runtime.panicmakeslicecap\n"u8 +
        "1runtime.throwinit\n"u8 +
        "1runtime.panicwrap\n"u8 +
        "1runtime.gopanic\n"u8 +
        "1runtime.gorecover\n"u8 +
        "1runtime.goschedguarded\n"u8 +
        "1runtime.goPanicIndex\n"u8 +
        "1runtime.goPanicIndexU\n"u8 +
        "1runtime.goPanicSliceAlen\n"u8 +
        "1runtime.goPanicSliceAlenU\n"u8 +
        "1runtime.goPanicSliceAcap\n"u8 +
        "1runtime.goPanicSliceAcapU\n"u8 +
        "1runtime.goPanicSliceB\n"u8 +
        "1runtime.goPanicSliceBU\n"u8 +
        "1runtime.goPanicSlice3Alen\n"u8 +
        "1runtime.goPanicSlice3AlenU\n"u8 +
        "1runtime.goPanicSlice3Acap\n"u8 +
        "1runtime.goPanicSlice3AcapU\n"u8 +
        "1runtime.goPanicSlice3B\n"u8 +
        "1runtime.goPanicSlice3BU\n"u8 +
        "1runtime.goPanicSlice3C\n"u8 +
        "1runtime.goPanicSlice3CU\n"u8 +
        "1runtime.goPanicSliceConvert\n"u8 +
        "1runtime.printbool\n"u8 +
        "1runtime.printfloat64\n"u8 +
        "1runtime.printfloat32\n"u8 +
        "1runtime.printint\n"u8 +
        "1runtime.printhex\n"u8 +
        "1runtime.printuint\n"u8 +
        "1runtime.printcomplex128\n"u8 +
        "1runtime.printcomplex64\n"u8 +
        "1runtime.printstring\n"u8 +
        "1runtime.printquoted\n"u8 +
        "1runtime.printpointer\n"u8 +
        "1runtime.printuintptr\n"u8 +
        "1runtime.printiface\n"u8 +
        "1runtime.printeface\n"u8 +
        "1runtime.printslice\n"u8 +
        "1runtime.printnl\n"u8 +
        "1runtime.printsp\n"u8 +
        "1runtime.printlock\n"u8 +
        "1runtime.printunlock\n"u8 +
        "1runtime.concatstring2\n"u8 +
        "1runtime.concatstring3\n"u8 +
        "1runtime.concatstring4\n"u8 +
        "1runtime.concatstring5\n"u8 +
        "1runtime.concatstrings\n"u8 +
        "1runtime.concatbyte2\n"u8 +
        "1runtime.concatbyte3\n"u8 +
        "1runtime.concatbyte4\n"u8 +
        "1runtime.concatbyte5\n"u8 +
        "1runtime.concatbytes\n"u8 +
        "1runtime.cmpstring\n"u8 +
        "1runtime.intstring\n"u8 +
        "1runtime.slicebytetostring\n"u8 +
        "1runtime.slicebytetostringtmp\n"u8 +
        "1runtime.slicerunetostring\n"u8 +
        "1runtime.stringtoslicebyte\n"u8 +
        "1runtime.stringtoslicerune\n"u8 +
        "1runtime.slicecopy\n"u8 +
        "1runtime.decoderune\n"u8 +
        "1runtime.countrunes\n"u8 +
        "1runtime.convT\n"u8 +
        "1runtime.convTnoptr\n"u8 +
        "1runtime.convT16\n"u8 +
        "1runtime.convT32\n"u8 +
        "1runtime.convT64\n"u8 +
        "1runtime.convTstring\n"u8 +
        "1runtime.convTslice\n"u8 +
        "1runtime.assertE2I\n"u8 +
        "1runtime.assertE2I2\n"u8 +
        "1runtime.panicdottypeE\n"u8 +
        "1runtime.panicdottypeI\n"u8 +
        "1runtime.panicnildottype\n"u8 +
        "1runtime.typeAssert\n"u8 +
        "1runtime.interfaceSwitch\n"u8 +
        "1runtime.ifaceeq\n"u8 +
        "1runtime.efaceeq\n"u8 +
        "1runtime.panicrangestate\n"u8 +
        "1runtime.deferrangefunc\n"u8 +
        "1runtime.rand\n"u8 +
        "1runtime.rand32\n"u8 +
        "1runtime.makemap64\n"u8 +
        "1runtime.makemap\n"u8 +
        "1runtime.makemap_small\n"u8 +
        "1runtime.mapaccess1\n"u8 +
        "1runtime.mapaccess1_fast32\n"u8 +
        "1runtime.mapaccess1_fast64\n"u8 +
        "1runtime.mapaccess1_faststr\n"u8 +
        "1runtime.mapaccess1_fat\n"u8 +
        "1runtime.mapaccess2\n"u8 +
        "1runtime.mapaccess2_fast32\n"u8 +
        "1runtime.mapaccess2_fast64\n"u8 +
        "1runtime.mapaccess2_faststr\n"u8 +
        "1runtime.mapaccess2_fat\n"u8 +
        "1runtime.mapassign\n"u8 +
        "1runtime.mapassign_fast32\n"u8 +
        "1runtime.mapassign_fast32ptr\n"u8 +
        "1runtime.mapassign_fast64\n"u8 +
        "1runtime.mapassign_fast64ptr\n"u8 +
        "1runtime.mapassign_faststr\n"u8 +
        "1runtime.mapIterStart\n"u8 +
        "1runtime.mapdelete\n"u8 +
        "1runtime.mapdelete_fast32\n"u8 +
        "1runtime.mapdelete_fast64\n"u8 +
        "1runtime.mapdelete_faststr\n"u8 +
        "1runtime.mapIterNext\n"u8 +
        "1runtime.mapclear\n"u8 +
        "1runtime.makechan64\n"u8 +
        "1runtime.makechan\n"u8 +
        "1runtime.chanrecv1\n"u8 +
        "1runtime.chanrecv2\n"u8 +
        "1runtime.chansend1\n"u8 +
        "1runtime.closechan\n"u8 +
        "1runtime.chanlen\n"u8 +
        "1runtime.chancap\n"u8 +
        "0runtime.writeBarrier\n"u8 +
        "1runtime.typedmemmove\n"u8 +
        "1runtime.typedmemclr\n"u8 +
        "1runtime.typedslicecopy\n"u8 +
        "1runtime.selectnbsend\n"u8 +
        "1runtime.selectnbrecv\n"u8 +
        "1runtime.selectsetpc\n"u8 +
        "1runtime.selectgo\n"u8 +
        "1runtime.block\n"u8 +
        "1runtime.makeslice\n"u8 +
        "1runtime.makeslice64\n"u8 +
        "1runtime.makeslicecopy\n"u8 +
        "1runtime.growslice\n"u8 +
        "1runtime.growsliceBuf\n"u8 +
        "1runtime.growsliceBufNoAlias\n"u8 +
        "1runtime.growsliceNoAlias\n"u8 +
        "1runtime.unsafeslicecheckptr\n"u8 +
        "1runtime.panicunsafeslicelen\n"u8 +
        "1runtime.panicunsafeslicenilptr\n"u8 +
        "1runtime.unsafestringcheckptr\n"u8 +
        "1runtime.panicunsafestringlen\n"u8 +
        "1runtime.panicunsafestringnilptr\n"u8 +
        "1runtime.moveSlice\n"u8 +
        "1runtime.moveSliceNoScan\n"u8 +
        "1runtime.moveSliceNoCap\n"u8 +
        "1runtime.moveSliceNoCapNoScan\n"u8 +
        "1runtime.memmove\n"u8 +
        "1runtime.memclrNoHeapPointers\n"u8 +
        "1runtime.memclrHasPointers\n"u8 +
        "1runtime.memequal\n"u8 +
        "1runtime.memequal0\n"u8 +
        "1runtime.memequal8\n"u8 +
        "1runtime.memequal16\n"u8 +
        "1runtime.memequal32\n"u8 +
        "1runtime.memequal64\n"u8 +
        "1runtime.memequal128\n"u8 +
        "1runtime.f32equal\n"u8 +
        "1runtime.f64equal\n"u8 +
        "1runtime.c64equal\n"u8 +
        "1runtime.c128equal\n"u8 +
        "1runtime.strequal\n"u8 +
        "1runtime.interequal\n"u8 +
        "1runtime.nilinterequal\n"u8 +
        "1runtime.memhash\n"u8 +
        "1runtime.memhash0\n"u8 +
        "1runtime.memhash8\n"u8 +
        "1runtime.memhash16\n"u8 +
        "1runtime.memhash32\n"u8 +
        "1runtime.memhash64\n"u8 +
        "1runtime.memhash128\n"u8 +
        "1runtime.f32hash\n"u8 +
        "1runtime.f64hash\n"u8 +
        "1runtime.c64hash\n"u8 +
        "1runtime.c128hash\n"u8 +
        "1runtime.strhash\n"u8 +
        "1runtime.interhash\n"u8 +
        "1runtime.nilinterhash\n"u8 +
        "1runtime.int64div\n"u8 +
        "1runtime.uint64div\n"u8 +
        "1runtime.int64mod\n"u8 +
        "1runtime.uint64mod\n"u8 +
        "1runtime.float64toint64\n"u8 +
        "1runtime.float64touint64\n"u8 +
        "1runtime.float64touint32\n"u8 +
        "1runtime.int64tofloat64\n"u8 +
        "1runtime.int64tofloat32\n"u8 +
        "1runtime.uint64tofloat64\n"u8 +
        "1runtime.uint64tofloat32\n"u8 +
        "1runtime.uint32tofloat64\n"u8 +
        "1runtime.complex128div\n"u8 +
        "1runtime.racefuncenter\n"u8 +
        "1runtime.racefuncexit\n"u8 +
        "1runtime.raceread\n"u8 +
        "1runtime.racewrite\n"u8 +
        "1runtime.racereadrange\n"u8 +
        "1runtime.racewriterange\n"u8 +
        "1runtime.msanread\n"u8 +
        "1runtime.msanwrite\n"u8 +
        "1runtime.msanmove\n"u8 +
        "1runtime.asanread\n"u8 +
        "1runtime.asanwrite\n"u8 +
        "1runtime.checkptrAlignment\n"u8 +
        "1runtime.checkptrArithmetic\n"u8 +
        "1runtime.libfuzzerTraceCmp1\n"u8 +
        "1runtime.libfuzzerTraceCmp2\n"u8 +
        "1runtime.libfuzzerTraceCmp4\n"u8 +
        "1runtime.libfuzzerTraceCmp8\n"u8 +
        "1runtime.libfuzzerTraceConstCmp1\n"u8 +
        "1runtime.libfuzzerTraceConstCmp2\n"u8 +
        "1runtime.libfuzzerTraceConstCmp4\n"u8 +
        "1runtime.libfuzzerTraceConstCmp8\n"u8 +
        "1runtime.libfuzzerHookStrCmp\n"u8 +
        "1runtime.libfuzzerHookEqualFold\n"u8 +
        "1runtime.addCovMeta\n"u8 +
        "0runtime.x86HasAVX\n"u8 +
        "0runtime.x86HasFMA\n"u8 +
        "0runtime.x86HasPOPCNT\n"u8 +
        "0runtime.x86HasSSE41\n"u8 +
        "0runtime.armHasVFPv4\n"u8 +
        "0runtime.arm64HasATOMICS\n"u8 +
        "0runtime.loong64HasLAMCAS\n"u8 +
        "0runtime.loong64HasLAM_BH\n"u8 +
        "0runtime.loong64HasDBAR_HINTS\n"u8 +
        "0runtime.loong64HasLSX\n"u8 +
        "0runtime.riscv64HasZbb\n"u8 +
        "1runtime.asanregisterglobals\n"u8 +
        "1runtime.KeepAlive\n"u8 +
        "1runtime.deferproc\n"u8 +
        "1runtime.deferprocStack\n"u8 +
        "1runtime.deferreturn\n"u8 +
        "1runtime.newproc\n"u8 +
        "1runtime.panicoverflow\n"u8 +
        "1runtime.sigpanic\n"u8 +
        "1runtime.gcWriteBarrier1\n"u8 +
        "1runtime.gcWriteBarrier2\n"u8 +
        "1runtime.gcWriteBarrier3\n"u8 +
        "1runtime.gcWriteBarrier4\n"u8 +
        "1runtime.gcWriteBarrier5\n"u8 +
        "1runtime.gcWriteBarrier6\n"u8 +
        "1runtime.gcWriteBarrier7\n"u8 +
        "1runtime.gcWriteBarrier8\n"u8 +
        "1runtime.duffzero\n"u8 +
        "1runtime.duffcopy\n"u8 +
        "0runtime.morestack\n"u8 +
        "0runtime.morestackc\n"u8 +
        "0runtime.morestack_noctxt\n"u8 +
        "0runtime.retpolineAX\n"u8 +
        "0runtime.retpolineCX\n"u8 +
        "0runtime.retpolineDX\n"u8 +
        "0runtime.retpolineBX\n"u8 +
        "0runtime.retpolineBP\n"u8 +
        "0runtime.retpolineSI\n"u8 +
        "0runtime.retpolineDI\n"u8 +
        "0runtime.retpolineR8\n"u8 +
        "0runtime.retpolineR9\n"u8 +
        "0runtime.retpolineR10\n"u8 +
        "0runtime.retpolineR11\n"u8 +
        "0runtime.retpolineR12\n"u8 +
        "0runtime.retpolineR13\n"u8 +
        "0runtime.retpolineR14\n"u8 +
        "0runtime.retpolineR15\n"u8 +
        "0runtime.tls_g\n"u8 +
        "0type:int8\n"u8 +
        "0type:*int8\n"u8 +
        "0type:uint8\n"u8 +
        "0type:*uint8\n"u8 +
        "0type:int16\n"u8 +
        "0type:*int16\n"u8 +
        "0type:uint16\n"u8 +
        "0type:*uint16\n"u8 +
        "0type:int32\n"u8 +
        "0type:*int32\n"u8 +
        "0type:uint32\n"u8 +
        "0type:*uint32\n"u8 +
        "0type:int64\n"u8 +
        "0type:*int64\n"u8 +
        "0type:uint64\n"u8 +
        "0type:*uint64\n"u8 +
        "0type:float32\n"u8 +
        "0type:*float32\n"u8 +
        "0type:float64\n"u8 +
        "0type:*float64\n"u8 +
        "0type:complex64\n"u8 +
        "0type:*complex64\n"u8 +
        "0type:complex128\n"u8 +
        "0type:*complex128\n"u8 +
        "0type:unsafe.Pointer\n"u8 +
        "0type:*unsafe.Pointer\n"u8 +
        "0type:uintptr\n"u8 +
        "0type:*uintptr\n"u8 +
        "0type:bool\n"u8 +
        "0type:*bool\n"u8 +
        "0type:string\n"u8 +
        "0type:*string\n"u8 +
        "0type:error\n"u8 +
        "0type:*error\n"u8 +
        "0type:func(error) string\n"u8 +
        "0type:*func(error) string\n"u8;

    /// <summary>Linknames only the listed packages may use (cmd/link loader.blockedLinknames).</summary>
    public static ReadOnlySpan<byte> BlockedLinknames =>
        "go:fipsinfo crypto/internal/fips140/check\n"u8 +
        "crypto/internal/fips140.fatal crypto/internal/fips140\n"u8 +
        "crypto/internal/fips140.getIndicator crypto/internal/fips140\n"u8 +
        "crypto/internal/fips140.setIndicator crypto/internal/fips140\n"u8 +
        "crypto/internal/sysrand.fatal crypto/internal/sysrand\n"u8 +
        "crypto/rand.fatal crypto/rand\n"u8 +
        "internal/runtime/maps.errNilAssign internal/runtime/maps\n"u8 +
        "internal/runtime/maps.fatal internal/runtime/maps\n"u8 +
        "internal/runtime/maps.newarray internal/runtime/maps\n"u8 +
        "internal/runtime/maps.newobject internal/runtime/maps\n"u8 +
        "internal/runtime/maps.rand internal/runtime/maps\n"u8 +
        "internal/runtime/maps.typedmemclr internal/runtime/maps\n"u8 +
        "internal/runtime/maps.typedmemmove internal/runtime/maps\n"u8 +
        "internal/sync.fatal internal/sync\n"u8 +
        "internal/sync.runtime_canSpin internal/sync\n"u8 +
        "internal/sync.runtime_doSpin internal/sync\n"u8 +
        "internal/sync.runtime_nanotime internal/sync\n"u8 +
        "internal/sync.runtime_Semrelease internal/sync\n"u8 +
        "internal/sync.runtime_SemacquireMutex internal/sync\n"u8 +
        "internal/sync.throw internal/sync\n"u8 +
        "internal/synctest.Run internal/synctest\n"u8 +
        "internal/synctest.Wait internal/synctest\n"u8 +
        "internal/synctest.acquire internal/synctest\n"u8 +
        "internal/synctest.release internal/synctest\n"u8 +
        "internal/synctest.inBubble internal/synctest\n"u8 +
        "runtime.getStaticuint64s reflect\n"u8 +
        "sync.runtime_SemacquireWaitGroup sync\n"u8 +
        "time.runtimeNow time\n"u8 +
        "time.runtimeNano time\n"u8 +
        "runtime.mapaccess1 runtime\n"u8 +
        "runtime.mapaccess1_fast32 runtime\n"u8 +
        "runtime.mapaccess1_fast64 runtime\n"u8 +
        "runtime.mapaccess1_faststr runtime\n"u8 +
        "runtime.mapdelete_fast32 runtime\n"u8 +
        "runtime.mapdelete_fast64 runtime\n"u8 +
        "runtime.mapdelete_faststr runtime\n"u8 +
        "internal/cpu.riscvHWProbe internal/cpu\n"u8 +
        "internal/runtime/cgroup.throw internal/runtime/cgroup\n"u8 +
        "internal/runtime/maps.typeString internal/runtime/maps\n"u8 +
        "internal/synctest.IsInBubble internal/synctest\n"u8 +
        "internal/synctest.associate internal/synctest\n"u8 +
        "internal/synctest.disassociate internal/synctest\n"u8 +
        "internal/synctest.isAssociated internal/synctest\n"u8 +
        "runtime/trace.runtime_readTrace runtime/trace\n"u8 +
        "runtime/trace.runtime_traceClockUnitsPerSecond runtime/trace\n"u8 +
        "sync_test.runtime_blockUntilEmptyCleanupQueue sync_test\n"u8 +
        "time.runtimeIsBubbled time\n"u8 +
        "unique.runtime_blockUntilEmptyCleanupQueue unique\n"u8 +
        "net.newWindowsFile net\n"u8 +
        "testing/synctest.testingSynctestTest testing/synctest\n"u8 +
        "crypto/fips140.isBypassed crypto/fips140\n"u8 +
        "crypto/fips140.setBypass crypto/fips140\n"u8 +
        "crypto/fips140.unsetBypass crypto/fips140\n"u8 +
        "crypto/subtle.setDITEnabled crypto/subtle\n"u8 +
        "crypto/subtle.setDITDisabled crypto/subtle\n"u8 +
        "internal/cpu.sysctlbynameBytes internal/cpu\n"u8 +
        "internal/cpu.sysctlbynameInt32 internal/cpu\n"u8 +
        "runtime.pprof_goroutineLeakProfileWithLabels runtime/pprof\n"u8 +
        "runtime/pprof.runtime_goroutineLeakGC runtime/pprof\n"u8 +
        "runtime/pprof.runtime_goroutineleakcount runtime/pprof\n"u8 +
        "runtime/secret.appendSignalStacks runtime/secret\n"u8 +
        "runtime/secret.count runtime/secret\n"u8 +
        "runtime/secret.dec runtime/secret\n"u8 +
        "runtime/secret.eraseSecrets runtime/secret\n"u8 +
        "runtime/secret.getStack runtime/secret\n"u8 +
        "runtime/secret.inc runtime/secret\n"u8 +
        "syscall.rawsyscalln syscall\n"u8 +
        "syscall.runtimeClearenv syscall\n"u8 +
        "syscall.syscalln syscall\n"u8 +
        "crypto/internal/rand.SetTestingReader testing/cryptotest\n"u8 +
        "testing.checkParallel testing/cryptotest\n"u8 +
        "runtime.addmoduledata\n"u8;

    /// <summary>The symbol kinds by the number this release gives them (cmd/link/internal/sym).</summary>
    public static ReadOnlySpan<byte> SymbolKindNumbers =>
    [
        (byte)SymbolKind.None,
        (byte)SymbolKind.Text,
        (byte)SymbolKind.TextFipsStart,
        (byte)SymbolKind.TextFips,
        (byte)SymbolKind.TextFipsEnd,
        (byte)SymbolKind.TextEnd,
        (byte)SymbolKind.ElfRxSect,
        (byte)SymbolKind.MachoPlt,
        (byte)SymbolKind.String,
        (byte)SymbolKind.GoString,
        (byte)SymbolKind.GcBits,
        (byte)SymbolKind.RoData,
        (byte)SymbolKind.RoDataFipsStart,
        (byte)SymbolKind.RoDataFips,
        (byte)SymbolKind.RoDataFipsEnd,
        (byte)SymbolKind.RoDataEnd,
        (byte)SymbolKind.PclnTab,
        (byte)SymbolKind.ElfRoSect,
        (byte)SymbolKind.RoDataRelRo,
        (byte)SymbolKind.Type,
        (byte)SymbolKind.GoFunc,
        (byte)SymbolKind.ElfRelRoSect,
        (byte)SymbolKind.MachoRelRoSect,
        (byte)SymbolKind.FirstWritable,
        (byte)SymbolKind.BuildInfo,
        (byte)SymbolKind.FipsInfo,
        (byte)SymbolKind.ElfSect,
        (byte)SymbolKind.Macho,
        (byte)SymbolKind.Windows,
        (byte)SymbolKind.ModuleData,
        (byte)SymbolKind.ElfGot,
        (byte)SymbolKind.MachoGot,
        (byte)SymbolKind.NoPtrData,
        (byte)SymbolKind.NoPtrDataFipsStart,
        (byte)SymbolKind.NoPtrDataFips,
        (byte)SymbolKind.NoPtrDataFipsEnd,
        (byte)SymbolKind.NoPtrDataEnd,
        (byte)SymbolKind.InitArr,
        (byte)SymbolKind.Data,
        (byte)SymbolKind.DataFipsStart,
        (byte)SymbolKind.DataFips,
        (byte)SymbolKind.DataFipsEnd,
        (byte)SymbolKind.DataEnd,
        (byte)SymbolKind.XcoffToc,
        (byte)SymbolKind.Bss,
        (byte)SymbolKind.NoPtrBss,
        (byte)SymbolKind.GcMask,
        (byte)SymbolKind.LibFuzzer8BitCounter,
        (byte)SymbolKind.CoverageCounter,
        (byte)SymbolKind.CoverageAuxVar,
        (byte)SymbolKind.TlsBss,
        (byte)SymbolKind.FirstUnallocated,
        (byte)SymbolKind.XRef,
        (byte)SymbolKind.MachoSymStr,
        (byte)SymbolKind.MachoSymTab,
        (byte)SymbolKind.MachoIndirectPlt,
        (byte)SymbolKind.MachoIndirectGot,
        (byte)SymbolKind.DynImport,
        (byte)SymbolKind.HostObj,
        (byte)SymbolKind.UndefExt,
        (byte)SymbolKind.DwarfSect,
        (byte)SymbolKind.DwarfCuInfo,
        (byte)SymbolKind.DwarfConst,
        (byte)SymbolKind.DwarfFcn,
        (byte)SymbolKind.DwarfAbsFcn,
        (byte)SymbolKind.DwarfType,
        (byte)SymbolKind.DwarfVar,
        (byte)SymbolKind.DwarfRange,
        (byte)SymbolKind.DwarfLoc,
        (byte)SymbolKind.DwarfLines,
        (byte)SymbolKind.DwarfAddr,
        (byte)SymbolKind.SehUnwindInfo,
        (byte)SymbolKind.SehSect,
    ];
}
