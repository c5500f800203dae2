using AotLinker.Emit;
using AotLinker.Layout;
using AotLinker.Objects;

namespace AotLinker.Formats.Xcoff;

/// <summary>
/// An object for an external linker (the parts of doxcoff, fixZeroSizedSymbols and asmbXcoff for external linking, emitRelocations,
/// xcoffreloc1). It has neither auxiliary header nor loader section, but thread-local storage, and relocations in front of the symbol table:
/// those of text with read-only data, of data, and of each section of debug information.
/// </summary>
/// <remarks>
/// AIX's linker may drop symbols that nothing refers to and move the others by their alignment. So markers are symbols of some bytes, and as
/// aligned as what they begin. It adds to what fields hold: these are as if the object were a program.
/// </remarks>
internal sealed partial class XcoffFormat
{
    private const int MarkerSize = 8;

    private ExternalRelocs? _objectRelocations;

    /// <inheritdoc/>
    public override bool LaysOutMarkers(LinkContext ctx) => ctx.Target.IsExternal;

    /// <inheritdoc/>
    public override bool LaysOutTextMarkers(LinkContext ctx) => ctx.Target.IsExternal;

    /// <summary>Calls of what no object of ours defines go by way of trampolines.</summary>
    public override bool ChecksAllCalls(LinkContext ctx) => ctx.Target.IsExternal;

    /// <inheritdoc/>
    public override bool SortsExternalRelocations => true;

    /// <inheritdoc/>
    public override bool LinkerDropsUnreferenced => true;

    /// <inheritdoc/>
    public override void SizeMarkers(LinkContext ctx)
    {
        SymbolTable symbols = ctx.Symbols;
        // The table of contents is the end of data.
        symbols.Update("runtime.edata"u8, 0).SetKind(SymbolKind.XcoffToc);
        symbols.Update("runtime.rodata"u8, 0).SetKind(SymbolKind.String).SetSize(MarkerSize).Set(SymbolTable.Attributes.Special, false);
        symbols.Update("runtime.erodata"u8, 0).Set(SymbolTable.Attributes.Special, false);
    }

    /// <inheritdoc/>
    public override void AlignMarkers(LinkContext ctx, int data, int bss)
    {
        if (!ctx.Target.IsExternal)
            return;
        ctx.Symbols.SetAlign(ctx.Symbols.Lookup("runtime.data"u8, 0), data);
        ctx.Symbols.SetAlign(ctx.Symbols.Lookup("runtime.bss"u8, 0), bss);
    }

    /// <inheritdoc/>
    public override int ExternalRelocationParts(in ExternalReloc left) => left.Kind switch
    {
        RelocKind.AddrPowerTocrelDs => 2,
        // cmd/link has no relocation for it.
        RelocKind.AddrPowerTocrel => 0,
        _ => 1,
    };

    /// <inheritdoc/>
    public override long ExternalField(in ExternalReloc left, in RelocSite site, ulong content, bool isPassedOn)
    {
        SymbolTable symbols = site.Context.Symbols;
        if (ExternalRules.IsDistance(left.Kind))
        {
            if (!isPassedOn)
                site.Report($"unhandled pcrel relocation to {symbols.NameText(left.Target)} on aix");
            return isPassedOn ? 0 : left.Addend;
        }
        long addend = left.Kind == RelocKind.Addr ? symbols.Value(left.Target) + left.Addend : left.Addend;
        return site.Context.Target.Cpu.ExternalField(in site, content, addend);
    }

    // Names that C's half of runtime/cgo knows, and for each function that C may call what C takes for the function: a descriptor.
    private static void AddObjectSymbols(LinkContext ctx, SymbolId toc)
    {
        SymbolTable symbols = ctx.Symbols;
        SymbolId start = symbols.Lookup("runtime.rt0_go"u8, 0);
        if (!start.IsNone)
            symbols.ExternalNames[start] = "runtime_rt0_go";
        foreach (SymbolId s in (SortedSet<SymbolId>)[.. symbols.CgoExportStatic, .. symbols.CgoExportDynamic])
        {
            if (!symbols.Kind(s).IsText())
                continue;
            string name = symbols.OutputName(s);
            symbols.ExternalNames[s] = "." + name;
            SymbolBuilder descriptor = symbols.Update(symbols.CreateUnnamed(RawText.Encode(name), 0)).SetReachable().SetKind(SymbolKind.NoPtrData);
            descriptor.AddAddress(s);
            descriptor.AddAddress(toc);
            descriptor.AddUInt64(0);
        }
    }

    private void AddThreadLocalSection(Segment data)
    {
        Section? section = data.Sections.Find(static s => s.Name == ".tbss");
        Add(".tbss", section?.Vaddr ?? 0, section?.Length ?? 0, 0, XcoffSectionType.ThreadLocalBss);
    }

    private long SizeObjectTables(LinkContext ctx, long end)
    {
        _symbols = new XcoffSymbolTable(ctx);
        List<ExternalRelocTable> tables =
        [
            new([.. ctx.TextSegment.Sections], 0),
            new([.. ctx.RelRoDataSegment.Sections, .. ctx.DataSegment.Sections], 0),
            .. ctx.DwarfSegment.Sections.Select(static section => new ExternalRelocTable([section], section.Vaddr)),
        ];
        _objectRelocations = new ExternalRelocs(ctx, tables);
        _symbolsOffset = _objectRelocations.Place(end, XcoffConstants.RelocationSize);
        for (int i = 0; i < tables.Count; i++)
        {
            SectionHeader header = _sections[i switch { 0 => TextNumber, 1 => DataNumber, _ => tables[i].Sections[0].OutputNumber } - 1];
            header.RelocationsOffset = tables[i].Offset;
            header.RelocationCount = tables[i].Count;
        }
        CheckHeaders(ctx);
        return _symbolsOffset + _symbols.TableSize + _symbols.NamesSize;
    }

    private void WriteObjectRelocations(LinkContext ctx) => _objectRelocations!.Write((_, relocs, to) =>
    {
        foreach (ref readonly ExternalReloc r in relocs)
        {
            Put(ctx, in r, to);
            to = to[XcoffConstants.RelocationSize..];
        }
    });

    private void Put(LinkContext ctx, in ExternalReloc r, Span<byte> to)
    {
        SymbolTable symbols = ctx.Symbols;
        if (r.Target.IsNone)
        {
            RelocSite.Report(ctx, r.From, r.Offset, "missing xsym in relocation");
            return;
        }
        if (_symbols!.NumberOf(r.Target) is not { } number)
        {
            SymbolKind kind = symbols.Kind(r.Target);
            string name = symbols.NameText(r.Target);
            int kindNumber = ctx.Release.SymbolKindNumbers.IndexOf((byte)kind);
            RelocSite.Report(ctx, r.From, r.Offset, $"reloc {r.Kind.GoName()} to non-coff symbol {name} (outer={name}) {kindNumber} -1");
            return;
        }
        if (TypeOf(in r) is not { } made)
        {
            string kind = r.Kind.GoName();
            int kindNumber = ctx.Release.RelocKinds.IndexOf((byte)r.Kind);
            RelocSite.Report(ctx, r.From, r.Offset, $"unsupported obj reloc {kindNumber}({kind})/{r.Size} to {symbols.NameText(r.Target)}");
            return;
        }
        XcoffWriter w = new(to);
        w.U64((ulong)(r.Offset + made.Place));
        w.U32((uint)number);
        w.U16((byte)made.Type | ((made.Bits - 1) << 8));
    }

    // An instruction's immediate operand is its last two bytes.
    private static (XcoffRelocation Type, int Bits, int Place)? TypeOf(in ExternalReloc r) => (r.Kind, r.Size) switch
    {
        (RelocKind.Addr or RelocKind.DwarfSecRef, 4) => (XcoffRelocation.Address, 32, 0),
        (RelocKind.Addr or RelocKind.DwarfSecRef, _) => (XcoffRelocation.Address, 64, 0),
        (RelocKind.AddrPowerTocrelDs, _) => r.Part == 0 ? (XcoffRelocation.TocUpper, 16, 2) : (XcoffRelocation.TocLower, 16, 6),
        (RelocKind.PowerTlsLe, _) => (XcoffRelocation.ThreadLocalLe, 16, 2),
        (RelocKind.CallPower, 4) => (XcoffRelocation.Branch, 26, 0),
        (RelocKind.XcoffRef, _) => (XcoffRelocation.Keep, 64, 0),
        _ => null,
    };
}
