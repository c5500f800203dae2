using System.Text;
using AotLinker.Formats.Elf;
using AotLinker.Layout;
using AotLinker.Objects;
using AotLinker.Synthesize;

namespace AotLinker.Cpu;

/// <summary>Code that the linker makes: stubs that call imported functions, and trampolines (gentext, trampoline).</summary>
internal sealed partial class Ppc64
{
    private const int TrampolineSize = 16;
    private const uint Nop = 0x60000000;
    private const uint SaveToc = 0xf8410018;
    private const uint RestoreToc = 0xe8410018;
    private const uint AddisR12FromR2 = 0x3d820000;
    private const uint AddisR12FromR12 = 0x3d8c0000;
    private const uint LisR12 = 0x3d800000;
    private const uint AddiR12FromR12 = 0x398c0000;
    private const uint LoadR12FromR12 = 0xe98c0000;
    private const uint PlaPrefix = 0x06100000;
    private const uint PlaR12 = 0x39800000;
    private const uint PldPrefix = 0x04100000;
    private const uint PldR12 = 0xe5800000;
    private const uint MoveR12ToCtr = 0x7d8903a6;
    private const uint JumpToCtr = 0x4e800420;
    private const uint MoveLrToR0 = 0x7c0802a6;
    private const uint MoveLrToR12 = 0x7d8802a6;
    private const uint MoveR0ToLr = 0x7c0803a6;
    private const uint CallNext = 0x429f0005;

    /// <inheritdoc/>
    public override ulong TrampolineLimit => 0x1c00000;

    /// <inheritdoc/>
    public override int MaxTrampolineSize => TrampolineSize;

    /// <summary>Text sections are as aligned as any function may ask for, because of prefixed instructions.</summary>
    public override int SplitTextAlign => 64;

    /// <inheritdoc/>
    public override bool SplitsText(Target target) => target.IsExternal;

    /// <summary>
    /// Sends calls of imported functions, and of functions that keep r2 otherwise than the caller does, to stubs. These are put in front
    /// of all text, so that their addresses are known when trampolines are decided on (genstubs). Makes a module's initialiser.
    /// </summary>
    public override void GenerateText(LinkContext ctx)
    {
        AddModuleInitializer(ctx);
        if (!ctx.Target.IsInternal || !ctx.Target.IsElf || (!ctx.HasDynamicImports && ctx.Symbols.FromHostObject.Count == 0))
        {
            return;
        }
        List<SymbolId> stubs = [];
        List<SymbolId> saves = [];
        foreach ((SymbolId s, int reloc) in FindCalls(ctx))
        {
            RelocList relocs = ctx.Symbols.Relocs(s);
            if (relocs.Kind(reloc) == RelocKind.Host)
            {
                StubForHostCall(ctx, s, reloc, stubs, saves);
            }
            else if (ctx.Symbols.Kind(relocs.Target(reloc)) == SymbolKind.DynImport)
            {
                CallByStub(ctx, s, reloc, stubs);
            }
            else
            {
                StubForTocCall(ctx, s, reloc, stubs, saves);
            }
        }
        // What saves registers comes last: it can't be reached by trampolines.
        ctx.Text.InsertRange(0, [.. stubs, .. saves]);
    }

    // A function of Go that puts a frame around the call (genaddmoduledata).
    private void AddModuleInitializer(LinkContext ctx)
    {
        if (ModuleRegistration.Prepare(ctx, out SymbolId callee) is not { } function)
        {
            return;
        }
        if (!IsPcRelative)
        {
            // addis r2, r12, .TOC.-.@ha; addi r2, r2, .TOC.-.@l
            Add(0x3c4c0000, 0x38420000, RelocKind.AddrPowerPcRel, ctx.Symbols.LookupOrCreate(".TOC."u8, 0));
        }
        function.AddUInt32(0x7c0802a6); // mflr r0
        function.AddUInt32(0xf801ffe1); // stdu r0, -32(r1)
        if (IsPcRelative)
        {
            // pld r3, moduledata@got@pcrel
            Add(0x04100000, 0xe4600000, RelocKind.AddrPowerGotPcrel34, ctx.ModuleData);
        }
        else
        {
            // addis r3, r2, moduledata@got@ha; ld r3, moduledata@got@l(r3)
            Add(0x3c620000, 0xe8630000, RelocKind.AddrPowerGot, ctx.ModuleData);
        }
        function.AddReloc(RelocKind.CallPower, (int)function.Size, 4, callee, 0);
        function.AddUInt32(0x48000001); // bl runtime.addmoduledata
        function.AddUInt32(0x60000000); // nop, where the linker puts back r2
        function.AddUInt32(0xe8010000); // ld r0, 0(r1)
        function.AddUInt32(0x7c0803a6); // mtlr r0
        function.AddUInt32(0x38210020); // addi r1, r1, 32
        function.AddUInt32(0x4e800020); // blr

        void Add(uint first, uint second, RelocKind kind, SymbolId target)
        {
            function.AddReloc(kind, (int)function.Size, 8, target, 0);
            function.AddUInt32(first);
            function.AddUInt32(second);
        }
    }

    /// <inheritdoc/>
    public override void CheckReach(TextLayout text, SymbolId s, int reloc, SymbolId target)
    {
        LinkContext ctx = text.Context;
        if (ctx.Target.IsExternal && IsPositionIndependent(ctx.Target))
        {
            // The table of contents is in r2, by which the external linker leads calls that don't reach.
            return;
        }
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        RelocKind kind = relocs.Kind(reloc);
        if (kind != RelocKind.CallPower)
        {
            ctx.Diagnostics.Error($"{symbols.NameText(s)}: trampoline called with non-jump reloc: {ctx.Release.RelocKinds.IndexOf((byte)kind)} ({kind.GoName()})");
            return;
        }
        long addend = relocs[reloc].Addend;
        long site = symbols.Value(s) + relocs[reloc].Offset;
        long address = symbols.Value(target);
        bool isExternal = ctx.Target.IsExternal;
        int section = symbols.SectionIndex(s);
        bool reaches = isExternal ? symbols.SectionIndex(target) == section : ReachesByBranch(address + addend - site);
        if (address != 0 && reaches && !text.ForcesTrampoline(s, target, alsoWithoutPackage: false))
        {
            return;
        }
        // Calls into the middle of a function have trampolines of their own.
        SymbolId trampoline = text.FindTrampoline(
            target, addend, TrampolineNaming.HexadecimalUnlessZero, site, -BranchReach, BranchReach - 1, out bool isNew,
            // What an external linker puts between sections is not known.
            isExternal ? section : 0);
        if (isNew)
        {
            text.AddTrampoline(trampoline, symbols.Kind(s));
            WriteTrampoline(ctx, symbols.Update(trampoline), target, addend);
        }
        SymbolBuilder caller = symbols.Update(s);
        caller.SetRelocTarget(reloc, trampoline);
        caller.SetRelocAddend(reloc, 0);
    }

    private static bool IsPositionIndependent(Target target) =>
        target.BuildMode is BuildMode.CArchive or BuildMode.CShared or BuildMode.Pie or BuildMode.Shared or BuildMode.Plugin || target.IsLinkShared;

    private static List<(SymbolId Caller, int Reloc)> FindCalls(LinkContext ctx)
    {
        const int Piece = 1 << 10;
        SymbolTable symbols = ctx.Symbols;
        List<SymbolId> text = ctx.Text;
        List<(SymbolId, int)>?[] found = new List<(SymbolId, int)>?[(text.Count + Piece - 1) / Piece];
        ctx.Workers.ForChunks(text.Count, Piece, (from, to, _) =>
        {
            for (int i = from; i < to; i++)
            {
                RelocList relocs = symbols.Relocs(text[i]);
                for (int r = 0; r < relocs.Count; r++)
                {
                    RelocKind kind = relocs.Kind(r);
                    if (kind == RelocKind.Host || (kind == RelocKind.CallPower && MayNeedStub(symbols, relocs.Target(r))))
                    {
                        (found[from / Piece] ??= []).Add((text[i], r));
                    }
                }
            }
        });
        List<(SymbolId, int)> all = [];
        foreach (List<(SymbolId, int)>? piece in found)
        {
            all.AddRange(piece ?? []);
        }
        return all;
    }

    // Go's own functions share one table of contents and leave r2 alone.
    private static bool MayNeedStub(SymbolTable symbols, SymbolId target) =>
        symbols.Kind(target) is SymbolKind.DynImport or SymbolKind.XRef || symbols.LocalEntry.ContainsKey(target);

    /// <summary>Sends a call of an imported function to its stub, which is made if it is the first (genpltstub).</summary>
    private void CallByStub(LinkContext ctx, SymbolId s, int reloc, List<SymbolId> stubs)
    {
        SymbolTable symbols = ctx.Symbols;
        RelocList relocs = symbols.Relocs(s);
        SymbolId target = relocs.Target(reloc);
        int offset = relocs[reloc].Offset;
        ctx.Format.AddPltEntry(ctx, target);

        // A caller that keeps the table of contents in r2 has left a place to load it again.
        bool keepsToc = relocs.Kind(reloc) == RelocKind.Host
            ? relocs.HostType(reloc) == ElfPpc64.HostRel24
            : symbols.IsShared(s) && !symbols.FromHostObject.Contains(s) && !IsPcRelative;
        string name = (keepsToc ? "_pltstub_tocrel." : "_pltstub_notoc.") + symbols.NameText(target);
        SymbolBuilder stub = symbols.Update(Encoding.UTF8.GetBytes(name), 0);
        if (stub.Size == 0)
        {
            WriteStub(ctx, stub, symbols.PltOffset[target], keepsToc);
            stubs.Add(stub.Symbol);
        }
        SymbolBuilder caller = symbols.Update(s);
        caller.SetRelocTarget(reloc, stub.Symbol);
        if (!keepsToc)
        {
            return;
        }
        Span<byte> code = caller.WritableData();
        if (code.Length < offset + 8 || Read(code[(offset + 4)..]) != Nop)
        {
            ctx.Diagnostics.Error(symbols.Name(s), $"Symbol {symbols.NameText(s)} is missing toc restoration slot at offset {offset + 4}");
            return;
        }
        caller.SetUInt(offset + 4, RestoreToc, 4);
    }

    /// <summary>Writes a stub that jumps to the address in the PLT (gencallstub; ELFv2 ABI 1.5, 4.2.5.3, cases 1 and 3).</summary>
    private void WriteStub(LinkContext ctx, SymbolBuilder stub, int slot, bool keepsToc)
    {
        SymbolId plt = ctx.Known.Plt;
        stub.SetKind(SymbolKind.Text);
        if (keepsToc)
        {
            stub.AddUInt32(SaveToc);
            AddPair(stub, RelocKind.AddrPowerTocrelDs, AddisR12FromR2, LoadR12FromR12, plt, slot);
        }
        else if (level >= 10)
        {
            AddPair(stub, RelocKind.AddrPowerPcrel34, PldPrefix, PldR12, plt, slot);
        }
        else if (!ctx.Target.IsPie)
        {
            AddPair(stub, RelocKind.AddrPowerDs, LisR12, LoadR12FromR12, plt, slot);
        }
        else
        {
            AddOwnAddress(stub);
            AddPair(stub, RelocKind.AddrPowerPcRel, AddisR12FromR12, AddiR12FromR12, plt, slot + 8);
            stub.AddUInt32(LoadR12FromR12);
        }
        stub.AddUInt32(MoveR12ToCtr);
        stub.AddUInt32(JumpToCtr);
    }

    /// <summary>Writes a trampoline that jumps to an address in r12 (gentramp).</summary>
    private void WriteTrampoline(LinkContext ctx, SymbolBuilder trampoline, SymbolId target, long addend)
    {
        SymbolTable symbols = ctx.Symbols;
        if (symbols.Name(target).StartsWith("runtime.elf_"u8))
        {
            // These use r12 and r0 in ways of their own.
            throw new LinkException(
                MessageForm.Input,
                $"Internal linker does not support trampolines to ELFv2 ABI register save/restore function {symbols.NameText(target)}");
        }
        long address = symbols.Value(target);
        if (ctx.Target.HasFunctionDescriptors)
        {
            SymbolBuilder entry = symbols.Update(Encoding.UTF8.GetBytes("TOC." + symbols.NameText(trampoline.Symbol)), 0);
            entry.SetKind(SymbolKind.XcoffToc);
            entry.AddAddress(target, addend);
            AddPair(trampoline, RelocKind.AddrPowerTocrelDs, AddisR12FromR2, LoadR12FromR12, entry.Symbol, 0);
        }
        else if (IsPcRelative)
        {
            AddPair(trampoline, RelocKind.AddrPowerPcrel34, PlaPrefix, PlaR12, target, addend);
        }
        else if (ctx.Target.IsPie)
        {
            AddPair(trampoline, RelocKind.AddrPowerTocrel, AddisR12FromR2, AddiR12FromR12, target, addend);
        }
        else if (address == 0 || ctx.Target.IsExternal)
        {
            AddPair(trampoline, RelocKind.AddrPower, LisR12, AddiR12FromR12, target, addend);
        }
        else
        {
            address += addend;
            trampoline.AddUInt32(LisR12 | ((uint)address + 0x8000) >> 16);
            trampoline.AddUInt32(AddiR12FromR12 | (ushort)address);
        }
        trampoline.AddUInt32(MoveR12ToCtr);
        trampoline.AddUInt32(JumpToCtr);
    }

    // The stub finds out where it is: r12 gets the address of the instruction that sets it.
    private static void AddOwnAddress(SymbolBuilder stub)
    {
        stub.AddUInt32(MoveLrToR0);
        stub.AddUInt32(CallNext);
        stub.AddUInt32(MoveLrToR12);
        stub.AddUInt32(MoveR0ToLr);
    }

    // The kind is set already, or would become data.
    private static void AddPair(SymbolBuilder code, RelocKind kind, uint first, uint second, SymbolId target, long addend)
    {
        int at = (int)code.Size;
        code.AddUInt32(first);
        code.AddUInt32(second);
        code.AddReloc(kind, at, 8, target, addend);
    }

    private uint Read(ReadOnlySpan<byte> code) => isBigEndian
        ? System.Buffers.Binary.BinaryPrimitives.ReadUInt32BigEndian(code)
        : System.Buffers.Binary.BinaryPrimitives.ReadUInt32LittleEndian(code);
}
