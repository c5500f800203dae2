using AotLinker.Emit;
using AotLinker.Explain;
using AotLinker.Hashing;
using AotLinker.Layout;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Formats.MachO;

/// <summary>Load commands and what follows the segments (asmbMacho, doMachoLink).</summary>
internal sealed partial class MachOFormat
{
    // Where the parts of __LINKEDIT begin in the file, in their order there.
    private long _linkEdit;
    private long _bind;
    private long _symbols;
    private long _indirectStubs;
    private long _indirectGot;
    private long _names;
    private long _signature;
    private long _end;
    private long _headerSize;

    /// <inheritdoc/>
    public override long SizeTables(LinkContext ctx)
    {
        SymbolTable symbols = ctx.Symbols;
        symbols.LookupOrCreate(".machorebase"u8, 0);
        symbols.LookupOrCreate(".machobind"u8, 0);
        symbols.LookupOrCreate(".machocodesig"u8, 0);
        if (ctx.Target.IsExternal)
            Symbols.AddLabels(ctx, _cpu.LabelDistance);
        Symbols.Measure(ctx);
        bool hasDyldInfo = ctx.Target.IsPie && ctx.Target.IsInternal;
        if (hasDyldInfo)
            _dyldInfo.Measure(ctx, _libraries);

        long round = ctx.Settings.Round;
        _linkEdit = TextLength(ctx)
            + RoundUp((long)ctx.RelRoDataSegment.FileLength, round)
            + RoundUp((long)ctx.DataSegment.FileLength, round)
            + RoundUp((long)ctx.DwarfSegment.FileLength, round);
        _bind = _linkEdit + (hasDyldInfo ? _dyldInfo.RebaseSize : 0);
        _symbols = _bind + (hasDyldInfo ? _dyldInfo.BindSize : 0);
        _indirectStubs = _symbols + Symbols.TableSize;
        _indirectGot = _indirectStubs + symbols.Size(ctx.Known.LinkEditPlt);
        _names = _indirectGot + symbols.Size(ctx.Known.LinkEditGot);

        // Signing tools want the end of all this at a multiple of 16.
        const long EndAlign = 16;
        _signature = _linkEdit + RoundUp(_names + Symbols.NamesSize - _linkEdit, EndAlign);
        if (ctx.Target.IsExternal)
            return PlaceObjectRelocations(ctx);
        _end = _signature + (_cpu.NeedsCodeSignature ? CodeSignature.Size(_signature) : 0);
        return _end;
    }

    /// <inheritdoc/>
    public override void WriteTables(LinkContext ctx)
    {
        if (ctx.Target.IsPie && ctx.Target.IsInternal)
            _dyldInfo.Write(ctx, _linkEdit);
        Symbols.Write(ctx, _symbols, _names);
        ctx.Output.Write(_indirectStubs, ctx.Symbols.Data(ctx.Known.LinkEditPlt));
        ctx.Output.Write(_indirectGot, ctx.Symbols.Data(ctx.Known.LinkEditGot));

        WriteObjectRelocations(ctx);
        MachOHeader header = ctx.Target.IsExternal ? BuildObjectHeader(ctx) : BuildHeader(ctx);
        if (header.Size > ctx.Settings.HeaderReserve)
            throw new LinkException($"HEADR too small: {header.Size} > {ctx.Settings.HeaderReserve}");
        ctx.Diagnostics.ExitIfErrors();
        _headerSize = header.Size;
        ctx.Output.Write(0, header.Build());
        if (_cpu.NeedsCodeSignature && ctx.Target.IsInternal)
            CodeSignature.Write(ctx.Output, ctx.Workers, _signature, TextLength(ctx));
    }

    /// <inheritdoc/>
    public override void DescribeFile(LinkContext ctx, FileMap map)
    {
        map.Table("header and load commands", SizeKind.Headers, 0, _headerSize);
        base.DescribeFile(ctx, map);
        map.Table("rebases and binds", SizeKind.Relocations, _linkEdit, _symbols - _linkEdit);
        map.Table("symbol table", SizeKind.SymbolTable, _symbols, Symbols.TableSize);
        map.Table("indirect symbols", SizeKind.DynamicLinking, _indirectStubs, _names - _indirectStubs);
        map.Table("symbol names", SizeKind.SymbolTable, _names, Symbols.NamesSize);
        if (ctx.Target.IsInternal)
            map.Table("code signature", SizeKind.Headers, _signature, _end - _signature);
        _objectRelocations?.DescribeFile(map);
    }

    // The text segment begins with the header.
    private static long TextLength(LinkContext ctx) =>
        RoundUp(ctx.Settings.HeaderReserve + (long)ctx.TextSegment.Length, ctx.Settings.Round);

    private MachOHeader BuildHeader(LinkContext ctx)
    {
        MachOHeader header = new()
        {
            CpuType = _cpu.CpuType,
            CpuSubtype = _cpu.CpuSubtype,
            Flags = (Symbols.UndefinedCount == 0 ? MachOConstants.FlagNoUndefined : 0)
                | (ctx.Target.IsPie ? MachOConstants.FlagPie | MachOConstants.FlagDyldLink : 0),
        };
        AddSegments(ctx, header);

        if (_hostPlatform is { } host)
            header.AddCommand(host.Command, host.Words);
        else
            header.AddCommand(MachOCommand.BuildVersion, (uint)MachOPlatform.Mac, _options.SystemVersion.Packed, _options.SdkVersion.Packed, 0);
        _cpu.AddEntryCommand(header, (ulong)EntryPoint.AddressAskedTwice(ctx), ctx.TextSegment.Vaddr - (ulong)ctx.Settings.HeaderReserve);
        if (ctx.Target.IsPie)
        {
            header.AddCommand(
                MachOCommand.DyldInfoOnly,
                (uint)_linkEdit, (uint)(_bind - _linkEdit), (uint)_bind, (uint)(_symbols - _bind), 0, 0, 0, 0, 0, 0);
        }
        header.AddCommand(MachOCommand.SymbolTable, (uint)_symbols, (uint)Symbols.Count, (uint)_names, (uint)(_signature - _names));
        header.AddCommand(
            MachOCommand.DynamicSymbolTable,
            0, (uint)Symbols.LocalCount,
            (uint)Symbols.LocalCount, (uint)Symbols.ExportedCount,
            (uint)(Symbols.LocalCount + Symbols.ExportedCount), (uint)Symbols.UndefinedCount,
            0, 0, 0, 0, 0, 0,
            (uint)_indirectStubs, (uint)((_names - _indirectStubs) / 4),
            0, 0, 0, 0);

        // A string stands behind the command's numbers; the first of these says where.
        header.AddCommand(MachOCommand.LoadDylinker, [12], "/usr/lib/dyld"u8, 20);
        foreach (string library in _libraries)
        {
            byte[] name = RawText.Encode(library);
            header.AddCommand(MachOCommand.LoadDylib, [24, 0, 0, 0], name, (name.Length + 8) / 8 * 8);
        }
        AddUuid(ctx, header);
        if (_cpu.NeedsCodeSignature)
            header.AddCommand(MachOCommand.CodeSignature, (uint)_signature, (uint)(_end - _signature));
        return header;
    }

    private void AddSegments(LinkContext ctx, MachOHeader header)
    {
        const uint Read = 1;
        const uint ReadWrite = 3;
        const uint ReadExecute = 5;
        const uint All = 7;
        ulong image = (ulong)(ctx.Settings.TextAddress - ctx.Settings.HeaderReserve);
        ulong textLength = (ulong)TextLength(ctx);
        header.Segments.Add(new MachOSegment("__PAGEZERO") { MemorySize = image });
        header.Segments.Add(new MachOSegment("__TEXT")
        {
            Address = image,
            MemorySize = textLength,
            FileSize = textLength,
            MaxProtection = All,
            Protection = ReadExecute,
        });
        AddSections(ctx, header, ctx.TextSegment);
        if (ctx.RelRoDataSegment.Length > 0)
        {
            header.Segments.Add(Loaded("__DATA_CONST", ctx.RelRoDataSegment, MachOConstants.SegmentReadOnly));
            AddSections(ctx, header, ctx.RelRoDataSegment);
        }
        header.Segments.Add(Loaded("__DATA", ctx.DataSegment, 0));
        AddSections(ctx, header, ctx.DataSegment);
        if (!ctx.Settings.OmitDwarf)
        {
            Segment dwarf = ctx.DwarfSegment;
            header.Segments.Add(new MachOSegment("__DWARF")
            {
                Address = dwarf.Vaddr,
                FileOffset = dwarf.FileOffset,
                FileSize = dwarf.FileLength,
            });
            AddSections(ctx, header, dwarf);
        }
        header.Segments.Add(new MachOSegment("__LINKEDIT")
        {
            Address = (ulong)RoundUp((long)(ctx.DataSegment.Vaddr + ctx.DataSegment.Length), ctx.Settings.Round),
            MemorySize = (ulong)(_end - _linkEdit),
            FileOffset = (ulong)_linkEdit,
            FileSize = (ulong)(_end - _linkEdit),
            MaxProtection = Read,
            Protection = Read,
        });

        static MachOSegment Loaded(string name, Segment segment, uint flags) => new(name)
        {
            Address = segment.Vaddr,
            MemorySize = segment.Length,
            FileOffset = segment.FileOffset,
            FileSize = segment.FileLength,
            MaxProtection = ReadWrite,
            Protection = ReadWrite,
            Flags = flags,
        };
    }

    /// <summary>Describes the sections of the layout in the last segment of the header (machoshbits).</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="header">The header.</param>
    /// <param name="segment">The segment of the layout.</param>
    /// <param name="most">How many sections the header's segment may have.</param>
    /// <param name="segmentName">The name of the segment that the sections are of, where not that of the header's.</param>
    private void AddSections(LinkContext ctx, MachOHeader header, Segment segment, int most = 20, string? segmentName = null)
    {
        MachOSegment to = header.Segments[^1];
        foreach (Section section in segment.Sections)
        {
            if (to.Sections.Count == most)
                throw new LinkException($"too many sects in segment {to.Name}");
            ulong fileEnd = segment.Vaddr + segment.FileLength;
            bool inFile = section.Vaddr < fileEnd;
            if (inFile && section.Length > fileEnd - section.Vaddr)
                ctx.Diagnostics.Error($"macho cannot represent section {section.Name} crossing data and bss");
            string name = "__" + section.Name[1..].Replace('.', '_');
            uint flags = (inFile ? 0 : MachOConstants.SectionZeroFill)
                | ((section.Rwx & 1) != 0 ? MachOConstants.SectionSomeInstructions : 0)
                | (section.IsText ? MachOConstants.SectionPureInstructions : 0);
            string ofSegment = segmentName ?? to.Name;
            uint firstIndirect = 0;
            uint stubSize = 0;
            switch (section.Name)
            {
                case ".plt":
                    // The size of a stub is that of x86-64 on all CPUs.
                    name = "__symbol_stub1";
                    flags = MachOConstants.SectionPureInstructions | MachOConstants.SectionSomeInstructions | MachOConstants.SectionSymbolStubs;
                    stubSize = 6;
                    break;
                case ".got":
                    name = ctx.Release.MachOGotSection;
                    flags = MachOConstants.SectionSymbolPointers;
                    firstIndirect = (uint)(ctx.Symbols.Size(ctx.Known.LinkEditPlt) / 4);
                    break;
                case ".init_array":
                    name = "__mod_init_func";
                    flags = MachOConstants.SectionInitialisers;
                    break;
                case AssemblyMark:
                    // Tells Apple's tools that the code was assembled, so that they ask for no bitcode.
                    (name, ofSegment) = ("__asm", "__LLVM");
                    break;
                default:
                    break;
            }
            if (segment == ctx.DwarfSegment)
                flags |= MachOConstants.SectionDebug;
            int align = 0;
            while (1L << align < section.Align)
                align++;
            uint offset = inFile ? (uint)segment.OffsetOf(section.Vaddr) : 0;
            ExternalRelocTable? relocations = _relocationTables.GetValueOrDefault(section) is { Count: > 0 } table ? table : null;
            to.Sections.Add(new MachOSection(name, ofSegment, section.Vaddr, section.Length, offset, align, flags, firstIndirect, stubSize)
            {
                RelocOffset = (uint)(relocations?.Offset ?? 0),
                RelocCount = (uint)(relocations?.Count ?? 0),
            });
        }
    }

    private void AddUuid(LinkContext ctx, MachOHeader header)
    {
        const int UuidSize = 16;
        if (_options.OmitUuid)
            return;
        if (_options.Uuid.Length >= UuidSize)
        {
            header.AddUuid(_options.Uuid.AsSpan(0, UuidSize));
        }
        else if (ctx.Release.AlwaysHasUuid)
        {
            header.AddUuid(UuidOfContent(ctx));
        }
        else if (_options.Uuid.Length > 0)
        {
            byte[] padded = new byte[UuidSize];
            _options.Uuid.CopyTo(padded, 0);
            header.AddUuid(padded);
        }
    }

    /// <summary>Hashes everything up to the signature, the header's room being zeros yet.</summary>
    private byte[] UuidOfContent(LinkContext ctx)
    {
        Sha256 hash = new();
        for (long offset = 0; offset < _signature;)
        {
            int length = (int)Math.Min(OutputFile.MaxMade, _signature - offset);
            using OutputLease lease = ctx.Output.LeaseRead(offset, length);
            hash.Update(lease.ReadOnlySpan);
            offset += length;
        }
        Span<byte> digest = stackalloc byte[Sha256.DigestSize];
        ToolHash.Finish32(ref hash, digest, ctx.Release.ToolHashMask);
        return MachOOptions.UuidFromHash(digest, ctx.Release);
    }
}
