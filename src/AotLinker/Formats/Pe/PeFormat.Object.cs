using System.Buffers.Binary;
using System.Globalization;
using AotLinker.Emit;
using AotLinker.Layout;
using AotLinker.Objects;

namespace AotLinker.Formats.Pe;

/// <summary>
/// An object for an external linker (the parts of Peinit, asmbPe and pewrite for external linking, peFile.emitRelocations, addInitArray). It
/// has the headers of an image, without the program for DOS; sections that are not rounded up; tables of symbols and names; then relocations,
/// section by section, each table behind a record that has its true length.
/// </summary>
internal sealed partial class PeFormat
{
    private ExternalRelocs? _relocations;
    private readonly List<(ExternalRelocTable Table, PeSection Section)> _relocationTables = [];
    private PeSection? _initialisers;

    /// <inheritdoc/>
    public override string ExternalEntry => _cpu.HasUnderscores ? "_main" : base.ExternalEntry;

    /// <inheritdoc/>
    public override bool LeavesThreadLocals => false;

    /// <inheritdoc/>
    public override int ExternalRelocationParts(in ExternalReloc left) => _cpu.ObjectRelocationParts(left.Kind);

    /// <inheritdoc/>
    /// <remarks>Distances count from the end of their field.</remarks>
    public override long ExternalField(in ExternalReloc left, in RelocSite site, ulong content, bool isPassedOn)
    {
        long addend = isPassedOn ? 0 : left.Addend;
        if (!isPassedOn && ExternalRules.IsDistance(left.Kind))
        {
            CheckDistance(in site);
            addend += left.Size;
        }
        return site.Context.Target.Cpu.ExternalField(in site, content, addend);
    }

    // Not all CPUs have relocations for them.
    private void CheckDistance(in RelocSite site)
    {
        if (_cpu.RelocatesDistances)
            return;
        SymbolTable symbols = site.Context.Symbols;
        SymbolId outer = symbols.Outer(site.Target);
        site.Report($"unhandled pcrel relocation to {symbols.NameText(outer.IsNone ? site.Target : outer)} on windows");
    }

    private void SetUpObject()
    {
        _isObject = true;
        _imageBase = 0;
        _sectionAlign = PeConstants.ObjectSectionAlign;
        _fileAlign = 1;
    }

    private long SizeObjectTables(LinkContext ctx, byte[] debugNames)
    {
        const PeSectionFlags Data = PeSectionFlags.InitializedData | PeSectionFlags.Read | PeSectionFlags.Write;
        // The start-up code of C calls what is listed here.
        byte[] entry = new byte[ctx.Target.PointerSize];
        _initialisers = AddContent(".ctors", entry, Data | (_wide ? PeSectionFlags.Align8 : PeSectionFlags.Align4));
        BinaryPrimitives.WriteUInt32LittleEndian(entry, (uint)EntryOffset(ctx));

        _symbolsOffset = _sections!.NextOffset;
        PeObjectLabels labels = PeObjectLabels.Find(ctx, _cpu.LabelDistance);
        _symbols = PeSymbolTable.Size(
            ctx, hasSymbols: true, debugNames, SectionFor, new PeObjectSymbols(_sections.All, _data!, _zeroed!, labels, _cpu.HasUnderscores));
        AddRelocationTables(ctx);
        _relocations = new ExternalRelocs(ctx, [.. _relocationTables.Select(t => t.Table)]);
        long end = _relocations.Place(
            RoundUp(_symbolsOffset + _symbols.Length, 8), PeConstants.RelocationSize, head: PeConstants.RelocationSize);
        foreach ((ExternalRelocTable table, PeSection section) in _relocationTables)
            DescribeRelocations(section, table.Offset, table.Count);
        DescribeRelocations(_initialisers, end + PeConstants.RelocationSize, 1);
        end += 2 * PeConstants.RelocationSize;
        return end <= uint.MaxValue ? end : throw new LinkException("the object for the external linker is larger than 4 GB");
    }

    private static ulong EntryOffset(LinkContext ctx)
    {
        string name = ctx.Settings.EntrySymbol;
        SymbolId entry = ctx.Symbols.Lookup(System.Text.Encoding.UTF8.GetBytes(name), 0);
        return !entry.IsNone && ctx.SectionOf(entry) is { } section
            ? (ulong)ctx.Symbols.Value(entry) - section.Vaddr
            : throw new LinkException($"entry point {name} is not defined by the program");
    }

    private void AddRelocationTables(LinkContext ctx)
    {
        Add(ctx.TextSegment, _text!);
        Add(ctx.RoDataSegment, _readOnly!);
        Add(ctx.DataSegment, _data!);
        if (_pdata is not null)
            Add(ctx.PDataSegment, _pdata);
        if (_xdata is not null)
            Add(ctx.XDataSegment, _xdata);
        if (ctx.Settings.OmitDwarf)
            return;
        foreach (Section section in ctx.DwarfSegment.Sections)
        {
            PeSection of = _sections!.All.First(s => s.Name == section.Name);
            _relocationTables.Add((new ExternalRelocTable([section], section.Vaddr), of));
        }

        void Add(Segment segment, PeSection section) =>
            _relocationTables.Add((new ExternalRelocTable(segment.Sections, segment.Vaddr), section));
    }

    // The header has 16 bits for the number. Where that is too little, the record in front counts as well.
    private static void DescribeRelocations(PeSection section, long offset, long count)
    {
        if (count >= ushort.MaxValue + 1)
        {
            section.Flags |= PeSectionFlags.RelocationOverflow;
            section.RelocationsOffset = (uint)(offset - PeConstants.RelocationSize);
            section.RelocationCount = ushort.MaxValue;
        }
        else
        {
            section.RelocationsOffset = (uint)offset;
            section.RelocationCount = (ushort)count;
        }
    }

    private void WriteObjectRelocations(LinkContext ctx)
    {
        if (_relocations is null)
            return;
        byte[] record = new byte[PeConstants.RelocationSize];
        long end = RoundUp(_symbolsOffset + _symbols!.Length, 8);
        foreach ((ExternalRelocTable table, _) in _relocationTables)
        {
            WriteHead(table.Offset, table.Count);
            end = table.Offset + (table.Count * PeConstants.RelocationSize);
        }
        WriteHead(end + PeConstants.RelocationSize, 1);
        PutRelocation(record, 0, _text!.Number - 1, _cpu.AddressRelocation);
        ctx.Output.Write(end + PeConstants.RelocationSize, record);
        _relocations.Write((_, relocs, to) =>
        {
            foreach (ref readonly ExternalReloc r in relocs)
            {
                Put(ctx, in r, to);
                to = to[PeConstants.RelocationSize..];
            }
        });

        void WriteHead(long offset, long count)
        {
            byte[] head = new byte[PeConstants.RelocationSize];
            BinaryPrimitives.WriteUInt32LittleEndian(head, (uint)(count + 1));
            ctx.Output.Write(offset - head.Length, head);
        }
    }

    private void Put(LinkContext ctx, in ExternalReloc r, Span<byte> to)
    {
        SymbolTable symbols = ctx.Symbols;
        if (r.Target.IsNone)
        {
            RelocSite.Report(ctx, r.From, r.Offset, "missing xsym in relocation");
            return;
        }
        SymbolId target = r.Target;
        long labelOffset = _cpu.LabelOffset(r.Kind, r.Addend);
        int number = labelOffset == 0 ? _symbols!.NumberOf(target) : _symbols!.NumberOf(target, labelOffset);
        if (number < 0 && labelOffset != 0)
        {
            RelocSite.Report(ctx, r.From, r.Offset, $"invalid relocation: {r.Kind.GoName()} {symbols.NameText(target)}+0x{r.Addend:x}");
            return;
        }
        if (number < 0)
        {
            SymbolKind kind = symbols.Kind(target);
            int kindNumber = ctx.Release.SymbolKindNumbers.IndexOf((byte)kind);
            int relocNumber = ctx.Release.RelocKinds.IndexOf((byte)r.Kind);
            string name = symbols.NameText(target);
            RelocSite.Report(ctx, r.From, r.Offset, string.Create(
                CultureInfo.InvariantCulture, $"reloc {relocNumber} to non-coff symbol {name} (outer={name}) {kindNumber}"));
            return;
        }
        if (_cpu.ObjectRelocation(r.Kind, r.Size, r.Part) is not { } type)
        {
            RelocSite.Report(ctx, r.From, r.Offset, $"unsupported obj reloc {r.Kind.GoName()}/{r.Size} to {symbols.NameText(r.Target)}");
            return;
        }
        PutRelocation(to, r.Offset + (4 * r.Part), number, type);
    }

    private static void PutRelocation(Span<byte> to, long offset, int symbol, ushort type)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, (uint)offset);
        BinaryPrimitives.WriteInt32LittleEndian(to[4..], symbol);
        BinaryPrimitives.WriteUInt16LittleEndian(to[8..], type);
    }
}
