using AotLinker.Formats.Elf;
using AotLinker.Formats.Pe;
using AotLinker.Formats.Plan9;
using AotLinker.Objects;
using AotLinker.Synthesize;

namespace AotLinker.Cpu;

/// <summary>
/// 32-bit x86. As on x86-64 calls push the return address and a direct call reaches all there is. The program counter can't be an operand:
/// code that must know it calls a thunk, which the linker makes. Relocations carry no addends in the file.
/// </summary>
internal sealed partial class I386 : CpuArch
{
    /// <inheritdoc/>
    public override string Name => "386";

    /// <inheritdoc/>
    public override int PointerSize => 4;

    /// <inheritdoc/>
    public override bool IsBigEndian => false;

    /// <inheritdoc/>
    public override int MinLc => 1;

    /// <inheritdoc/>
    public override int FunctionAlign => 16;

    /// <inheritdoc/>
    public override int MaxAlign => 32;

    /// <inheritdoc/>
    public override int MinAlign => 1;

    /// <inheritdoc/>
    public override int FixedFrameSize => 0;

    /// <inheritdoc/>
    public override bool HasLinkRegister => false;

    /// <inheritdoc/>
    public override bool HasRegisterAbi => false;

    /// <inheritdoc/>
    public override int DwarfStackRegister => 4;

    /// <inheritdoc/>
    public override int DwarfReturnRegister => 8;

    /// <summary>
    /// The call's opcode. Where functions are called by way of the GOT, two instructions in front of the call load its address.
    /// </summary>
    public override int CallRelocBackoff(Target target, Releases.Release release) =>
        release.ResumesAtGotLoad && (target.BuildMode is BuildMode.Shared or BuildMode.Plugin || target.IsLinkShared) ? 1 + 5 + 6 : 1;

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> CodePad => [0xCC];

    /// <inheritdoc/>
    public override bool LinksModules => true;

    /// <inheritdoc/>
    public override ElfCpu Elf => Elf386.Instance;

    /// <inheritdoc/>
    public override Plan9Cpu Plan9 => Plan9Cpu.I386;

    /// <inheritdoc/>
    public override PeCpu Pe => Pe386.Instance;

    /// <inheritdoc/>
    public override void DefineImplicitSymbols(LinkContext ctx)
    {
        Target target = ctx.Target;
        bool usesGot = target.BuildMode is BuildMode.CShared or BuildMode.Pie || target.IsDynlinkingGo
            || (target.BuildMode == BuildMode.CArchive && target.IsElf);
        if (usesGot && target.HeadType != HeadType.Windows)
        {
            ctx.Symbols.Update("_GLOBAL_OFFSET_TABLE_"u8, 0).SetKind(SymbolKind.DynImport).SetReachable();
        }
    }

    /// <summary>
    /// Makes the thunks that return their caller's program counter in a register, which position-independent code calls, and a module's
    /// initialiser. A host object may have brought its own thunks.
    /// </summary>
    public override void GenerateText(LinkContext ctx)
    {
        Target target = ctx.Target;
        if (!target.IsDynlinkingGo
            && target.BuildMode is not (BuildMode.Pie or BuildMode.CShared)
            && !(target.BuildMode == BuildMode.CArchive && target.IsElf))
        {
            return;
        }
        List<SymbolId> thunks = [];
        Add("__x86.get_pc_thunk.ax"u8, 0);
        Add("__x86.get_pc_thunk.cx"u8, 1);
        Add("__x86.get_pc_thunk.dx"u8, 2);
        Add("__x86.get_pc_thunk.bx"u8, 3);
        Add("__x86.get_pc_thunk.bp"u8, 5);
        Add("__x86.get_pc_thunk.si"u8, 6);
        Add("__x86.get_pc_thunk.di"u8, 7);
        ctx.Text.InsertRange(0, thunks);
        if (ModuleRegistration.Prepare(ctx, out SymbolId callee) is { } function)
        {
            // push %ebx; call __x86.get_pc_thunk.cx; lea moduledata-.(%ecx), %eax
            function.AddBytes([0x53, 0xe8]);
            function.AddReference(ctx.Symbols.Lookup("__x86.get_pc_thunk.cx"u8, 0), 0, RelocKind.Call, 4);
            function.AddBytes([0x8d, 0x81]);
            function.AddPcRelative4(ctx.ModuleData, 6);
            // lea GOT-.(%ecx), %ebx; call runtime.addmoduledata, by the PLT; pop %ebx; ret
            function.AddBytes([0x8d, 0x99]);
            function.AddReference(ctx.Symbols.LookupOrCreate("_GLOBAL_OFFSET_TABLE_"u8, 0), 12, RelocKind.PcRel, 4);
            function.AddUInt8(0xe8);
            function.AddReference(callee, 0, RelocKind.Call, 4);
            function.AddBytes([0x5b, 0xc3]);
        }

        void Add(ReadOnlySpan<byte> name, int register)
        {
            SymbolBuilder thunk = ctx.Symbols.Update(name, 0);
            if (ctx.Release.KeepsThunksOfObjects && thunk.Kind is not (SymbolKind.None or SymbolKind.XRef or SymbolKind.DynImport or SymbolKind.UndefExt))
            {
                return;
            }
            // mov (%esp), register; ret
            thunk.SetKind(SymbolKind.Text).Set(SymbolTable.Attributes.Local);
            thunk.AddBytes([0x8b, (byte)(0x04 | (register << 3)), 0x24, 0xc3]);
            thunks.Add(thunk.Symbol);
        }
    }
}
