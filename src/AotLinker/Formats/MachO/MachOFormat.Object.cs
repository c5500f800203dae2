using System.Buffers.Binary;
using AotLinker.Emit;
using AotLinker.Finish;
using AotLinker.Layout;
using AotLinker.Load;
using AotLinker.Objects;

namespace AotLinker.Formats.MachO;

/// <summary>
/// A relocatable object for an external linker (the parts of domacho and asmbMacho for external linking, machoEmitReloc, machoreloc1). One
/// segment without a name holds all sections, each of which tells the segment of the program that it is for. Relocations stand behind
/// everything else, section by section: those of code and data are against symbols, those of debug information against sections.
/// </summary>
internal sealed partial class MachOFormat
{
    private const string AssemblyMark = ".llvmasm";
    private const int ObjectRelocationSize = 8;
    private const int ObjectMostSections = 40;

    private readonly Dictionary<Section, ExternalRelocTable> _relocationTables = [];
    private ExternalRelocs? _objectRelocations;

    private void AddObjectSymbols(LinkContext ctx, HostLinker host)
    {
        foreach (HostObject o in host.Objects)
            HostMachO.TakePlatform(ctx, this, o);
        SymbolBuilder mark = ctx.Symbols.Update(System.Text.Encoding.ASCII.GetBytes(AssemblyMark), 0).SetKind(SymbolKind.Macho).SetReachable();
        mark.AddBytes([0]);
        mark.SetSize(1);
    }

    /// <summary>Places the relocations behind the symbol table; returns the length of the file.</summary>
    private long PlaceObjectRelocations(LinkContext ctx)
    {
        const int Align = 8;
        Segment dwarf = ctx.DwarfSegment;
        long round = ctx.Settings.Round;
        long at = (long)dwarf.FileOffset + RoundUp((long)dwarf.FileLength, round) + RoundUp(_signature - _linkEdit, round);
        List<ExternalRelocTable> tables = [];
        foreach (Segment segment in (Segment[])[ctx.TextSegment, ctx.RoDataSegment, ctx.RelRoDataSegment, ctx.DataSegment, dwarf])
        {
            foreach (Section section in segment.Sections)
            {
                ExternalRelocTable table = new([section], section.Vaddr);
                tables.Add(table);
                _relocationTables.Add(section, table);
            }
        }
        _objectRelocations = new ExternalRelocs(ctx, tables);
        return _objectRelocations.Place(RoundUp(at, Align), ObjectRelocationSize);
    }

    private MachOHeader BuildObjectHeader(LinkContext ctx)
    {
        MachOHeader header = new()
        {
            CpuType = _cpu.CpuType,
            CpuSubtype = _cpu.CpuSubtype,
            FileType = MachOConstants.FileTypeObject,
            Flags = Symbols.UndefinedCount == 0 ? MachOConstants.FlagNoUndefined : 0,
        };
        Segment text = ctx.TextSegment, dwarf = ctx.DwarfSegment;
        header.Segments.Add(new MachOSegment("")
        {
            FileOffset = text.FileOffset,
            FileSize = dwarf.FileOffset + dwarf.FileLength - text.FileOffset,
            MemorySize = dwarf.Vaddr + dwarf.Length - text.Vaddr,
        });
        Add(text, "__TEXT");
        Add(ctx.RelRoDataSegment, "__DATA_CONST");
        Add(ctx.DataSegment, "__DATA");
        if (!ctx.Settings.OmitDwarf)
            Add(dwarf, "__DWARF");

        if (_hostPlatform is { } host)
            header.AddCommand(host.Command, host.Words);
        else if (ctx.Release.ObjectsTellMacVersion)
            header.AddCommand(MachOCommand.BuildVersion, (uint)MachOPlatform.Mac, _options.SystemVersion.Packed, _options.SdkVersion.Packed, 0);
        header.AddCommand(MachOCommand.SymbolTable, (uint)_symbols, (uint)Symbols.Count, (uint)_names, (uint)(_signature - _names));
        return header;

        void Add(Segment segment, string name) => AddSections(ctx, header, segment, ObjectMostSections, name);
    }

    private void WriteObjectRelocations(LinkContext ctx) =>
        _objectRelocations?.Write((section, relocs, to) =>
        {
            bool isDebug = section.Segment == ctx.DwarfSegment;
            foreach (ref readonly ExternalReloc r in relocs)
            {
                PutObjectRelocation(ctx, r, isDebug, to);
                to = to[ObjectRelocationSize..];
            }
        });

    private void PutObjectRelocation(LinkContext ctx, in ExternalReloc r, bool isDebug, Span<byte> to)
    {
        SymbolTable symbols = ctx.Symbols;
        if (r.Target.IsNone)
        {
            Report(r, "missing xsym in relocation");
            return;
        }
        if (!symbols.IsReachable(r.Target))
            Report(r, $"unreachable reloc {KindText(r)} target {symbols.NameText(r.Target)}");
        long addend = r.Addend;
        int number;
        if (isDebug)
        {
            number = ctx.SectionOf(r.Target)?.OutputNumber ?? 0;
        }
        else
        {
            number = Symbols.NumberOf(r.Target);
            if (_cpu.LabelDistance is var distance && distance != 0 && r.Kind != RelocKind.Addr)
            {
                UseLabel(r, distance, ref addend, ref number);
            }
        }
        if (isDebug ? number == 0 : number < 0)
        {
            string what = isDebug ? $"symbol {symbols.NameText(r.Target)} in non-macho section" : $"non-macho symbol {symbols.NameText(r.Target)}";
            SymbolKind of = symbols.Kind(r.Target);
            Report(r, $"reloc {KindText(r)} to {what} type={ctx.Release.SymbolKindNumbers.IndexOf((byte)of)} ({of.GoName()})");
            return;
        }
        if (_cpu.ObjectRelocation(in r, r.Size) is not { } made
            || made.Word(made.IsAddend ? (uint)addend & 0xffffff : (uint)number, !isDebug) is not { } word)
        {
            Report(r, $"unsupported obj reloc {KindText(r)}/{r.Size} to {symbols.NameText(r.Target)}");
            return;
        }
        BinaryPrimitives.WriteUInt32LittleEndian(to, (uint)(r.Offset + made.Place));
        BinaryPrimitives.WriteUInt32LittleEndian(to[4..], word);

        string KindText(in ExternalReloc r) => $"{ctx.Release.RelocKinds.IndexOf((byte)r.Kind)} ({r.Kind.GoName()})";

        void Report(in ExternalReloc r, string text) => RelocSite.Report(ctx, r.From, r.Offset, text);

        // Addends have few bits, and calls none.
        void UseLabel(in ExternalReloc r, long distance, ref long addend, ref int number)
        {
            if (addend < -distance || addend >= distance)
            {
                if (Symbols.Label(r.Target, addend / distance * distance) is { } label)
                {
                    addend %= distance;
                    number = label;
                }
                else
                {
                    Report(r, $"internal error: relocation addend overflow: {symbols.NameText(r.Target)}+0x{addend:x}");
                }
            }
            if (_cpu.IsCall(r.Kind) && addend != 0)
            {
                if (Symbols.Label(r.Target, addend) is { } label)
                    number = label;
                else
                    Report(r, $"unexpected non-zero addend: {symbols.NameText(r.Target)}+{addend}");
            }
        }
    }

    /// <inheritdoc/>
    public override int ExternalRelocationParts(in ExternalReloc left) => _cpu.ObjectRelocationParts(in left);

    /// <inheritdoc/>
    public override bool LeavesThreadLocals => false;

    /// <inheritdoc/>
    public override long ExternalField(in ExternalReloc left, in RelocSite site, ulong content, bool isPassedOn)
    {
        if (site.Kind.IsOfCpu())
            return (long)content;
        if (isPassedOn)
            return 0;
        if (left.Kind == RelocKind.Addr)
            return left.Addend;
        if (left.Kind != RelocKind.Call)
            return left.Addend + left.Size;
        SymbolTable symbols = site.Context.Symbols;
        SymbolKind kind = symbols.Kind(left.Target);
        if (kind == SymbolKind.DynImport)
            return left.Addend + (_cpu.CallsCountFromEnd ? left.Size : 0);
        // That of the section, and without the way to a part of the symbol.
        long place = kind == SymbolKind.HostObj ? 0 : symbols.Value(left.Target) - (long)site.Context.SectionOf(left.Target)!.Vaddr;
        return site.Addend - left.Size + place;
    }
}
