using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using AotLinker.Formats.Pe;
using AotLinker.Objects;

namespace AotLinker.Load;

/// <summary>
/// Reads COFF objects that the host's compiler or resource compiler made for Windows (loadpe.Load). Each section of the program's memory
/// becomes a symbol "package(.text)" that reads its content in place; the symbols in it become its interior symbols, laid out with it.
/// </summary>
/// <remarks>
/// <para>What is odd about the format: relocations have their addends in the fields; of sections marked COMDAT one is kept of all
/// objects' that define the same symbol; resources are a section of their own (<see cref="Formats.OutputFormat.AddResources"/>); unwind
/// tables must not keep alive the functions they are about, so their references are weak and the functions refer to them.</para>
/// <para>A reference to an imported function is one of two: "name" is called, and gets a stub that jumps there; "__imp_name" is the
/// variable that holds its address. Which names are imported is only known when all objects are loaded
/// (<see cref="ResolveImports"/>).</para>
/// <para>One instance per link. Partial files: this one (sections, relocations, symbols), reading, unwind tables and imports.</para>
/// </remarks>
internal sealed unsafe partial class HostPe(LinkContext ctx)
{
    private readonly LinkContext _ctx = ctx;
    private readonly SymbolTable _symbols = ctx.Symbols;
    private readonly PeCpu _cpu = ctx.Target.Cpu.Pe ?? throw new UnsupportedLinkException($"internal linking of PE objects for {ctx.Target.Goarch}");

    // The size of each COMDAT section that is kept, by the symbol it defines; -1 where any size will do.
    private readonly Dictionary<string, long> _comdatDefinitions = new(StringComparer.Ordinal);

    // The sections of all objects, until imports are resolved.
    private readonly List<SymbolId> _allSections = [];

    /// <summary>Enters an object's symbols and returns its functions, section by section, by address.</summary>
    /// <param name="host">The object.</param>
    /// <param name="localVersion">Version of symbols that are known within the object only.</param>
    /// <exception cref="LinkException">The object is damaged or not for this CPU, or defines what is defined already.</exception>
    public List<SymbolId> Load(HostObject host, int localVersion)
    {
        CoffObject o = new(host.File.Base + host.Member.Offset, host.Member.Length);
        List<SymbolId> resources = [];
        SymbolId pdata = SymbolId.None;
        SymbolId xdata = SymbolId.None;
        foreach (CoffSection section in o.Sections)
        {
            if (!IsLoaded(section))
                continue;
            AddSection(o, section, $"{host.Prefix}({section.Name})", localVersion);
            if (section.Name == ".rsrc" || section.Name.StartsWith(".rsrc$", StringComparison.Ordinal))
                resources.Add(section.Symbol);
            else if (section.Name == ".pdata" && IsUnwindTable(section))
                pdata = section.Symbol;
            else if (section.Name == ".xdata" && IsUnwindTable(section))
                xdata = section.Symbol;
        }
        Dictionary<int, long> comdats = FindComdats(o, host);
        foreach (CoffSection section in o.Sections)
        {
            if (!section.Symbol.IsNone && section.RelocationCount != 0)
                AddRelocations(o, section, host, localVersion);
        }
        Dictionary<SymbolId, List<SymbolId>> parts = AddSymbols(o, host, localVersion, comdats);
        List<SymbolId> text = OrderParts(o, parts);
        List<SymbolId> unwind = pdata.IsNone ? [] : AddUnwindTable(pdata, xdata);

        if (resources.Count != 0)
            _ctx.Format.AddResources(_ctx, resources);
        _ctx.PData.AddRange(unwind);
        if (!xdata.IsNone)
            _ctx.XData.Add(xdata);
        return text;
    }

    private static bool IsLoaded(CoffSection section)
    {
        const PeSectionFlags Content = PeSectionFlags.Code | PeSectionFlags.InitializedData | PeSectionFlags.UninitializedData;
        // Import libraries of old tools have .idata without any.
        return (section.Flags & PeSectionFlags.Discardable) == 0 && (section.Flags & Content) != 0;
    }

    private bool IsUnwindTable(CoffSection section) => _cpu.HasUnwindTables && section.Name is ".pdata" or ".xdata" && _symbols.Kind(section.Symbol) == SymbolKind.SehSect;

    private void AddSection(CoffObject o, CoffSection section, string name, int localVersion)
    {
        const PeSectionFlags ReadOnly = PeSectionFlags.InitializedData | PeSectionFlags.Read;
        const PeSectionFlags Known = PeSectionFlags.UninitializedData | ReadOnly | PeSectionFlags.Write | PeSectionFlags.Code | PeSectionFlags.Execute;
        SymbolBuilder b = _symbols.Update(_symbols.LookupOrCreate(RawText.Encode(name), localVersion));
        switch (section.Flags & Known)
        {
            case ReadOnly when _cpu.HasUnwindTables && section.Name is ".pdata" or ".xdata":
                b.SetKind(SymbolKind.SehSect).SetAlign(4);
                break;
            case ReadOnly:
                b.SetKind(SymbolKind.RoData);
                break;
            case PeSectionFlags.UninitializedData | PeSectionFlags.Read | PeSectionFlags.Write:
                b.SetKind(SymbolKind.NoPtrBss);
                break;
            case ReadOnly | PeSectionFlags.Write:
                b.SetKind(SymbolKind.NoPtrData);
                break;
            case PeSectionFlags.Code | PeSectionFlags.Execute | PeSectionFlags.Read:
                b.SetKind(SymbolKind.Text);
                break;
            default:
                throw Error($"unexpected flags 0x{(uint)section.Flags:x4} for PE section {section.Name}");
        }
        if (b.Kind != SymbolKind.NoPtrBss)
            b.SetMappedData(o.Content(section), (int)section.Size);
        b.SetSize(section.Size);
        section.Symbol = b.Symbol;
    }

    /// <summary>The COMDAT sections by their index, with the size that another object's must have; -1 if it may have any.</summary>
    private static Dictionary<int, long> FindComdats(CoffObject o, HostObject host)
    {
        const byte SelectAny = 2;
        const byte SelectSameSize = 3;
        Dictionary<int, long> comdats = [];
        for (int i = 0; i < o.Sections.Length; i++)
        {
            if ((o.Sections[i].Flags & PeSectionFlags.Comdat) != 0)
                comdats[i] = o.Sections[i].Size;
        }
        if (comdats.Count == 0)
            return comdats;
        for (int i = 0; i < o.SymbolCount; i += 1 + o.Symbol(i).AuxCount)
        {
            CoffSymbol s = o.Symbol(i);
            if (s.Section == 0 || !comdats.ContainsKey(s.Section - 1) || s.Class != PeConstants.ClassStatic)
                continue;
            if (o.SelectionOf(i) is not { } auxiliary)
                throw Error($"unable to read aux info for section def symbol {i} {s.Name}: pe.COFFSymbolReadComdatInfo returns aux symbol missing for symbol {i}");
            if (auxiliary.Selection == SelectAny)
                comdats[s.Section - 1] = -1;
            else if (auxiliary.Selection != SelectSameSize)
                throw Error($"internal error: unsupported COMDAT selection strategy found in path={host.Member.DisplayName} sec={auxiliary.Section} strategy={auxiliary.Selection} idx={i}, please file a bug");
        }
        return comdats;
    }

    private void AddRelocations(CoffObject o, CoffSection section, HostObject host, int localVersion)
    {
        bool isSplitResource = section.Name.StartsWith(".rsrc$", StringComparison.Ordinal);
        bool isWeak = IsUnwindTable(section);
        SymbolBuilder b = _symbols.Update(section.Symbol);
        byte* content = _symbols.Kind(section.Symbol) == SymbolKind.NoPtrBss ? null : o.Content(section);
        for (int i = 0; i < section.RelocationCount; i++)
        {
            CoffRelocation r = o.Relocation(section, i);
            if (r.Symbol >= o.SymbolCount)
                throw Error($"relocation number {i} symbol index idx={r.Symbol} cannot be large then number of symbols {o.SymbolCount}");
            CoffSymbol s = o.Symbol((int)r.Symbol);
            SymbolId target = Enter(o, s, localVersion);
            if (target.IsNone)
                throw Error($"reloc of invalid sym {s.Name} idx={r.Symbol} type={s.Type}");
            bool separates = _ctx.Release.SeparatesPeRelocations;
            if ((separates ? _cpu.HostRelocation(r.Type) : _cpu.EarlierHostRelocation(r.Type)) is not { } relocation)
            {
                string cpu = separates ? "" : _cpu.EarlierName;
                throw Error($"{host.Member.DisplayName}: {section.Symbol.Index}: unknown {cpu}relocation type {r.Type}");
            }
            if (content is null || r.Offset > section.Size || relocation.Size > section.Size - r.Offset)
                throw Error($"{host.Member.DisplayName}: {section.Symbol.Index}: relocation {i} lies outside the section");
            ReadOnlySpan<byte> field = new(content + r.Offset, relocation.Size);
            long addend = _cpu.HostAddend(r.Type, relocation.Size == 8 ? BinaryPrimitives.ReadInt64LittleEndian(field) : BinaryPrimitives.ReadInt32LittleEndian(field));
            // Tools may make several symbols for a section, with different values; parts of split resources are such symbols.
            if (s.IsSection || isSplitResource)
                addend += s.Value;
            b.AddReloc(relocation.Kind, (int)r.Offset, relocation.Size, target, addend, isWeak);
        }
        b.SortRelocs();
    }

    private Dictionary<SymbolId, List<SymbolId>> AddSymbols(CoffObject o, HostObject host, int localVersion, Dictionary<int, long> comdats)
    {
        Dictionary<SymbolId, List<SymbolId>> parts = [];
        string file = host.Member.DisplayName;
        for (int i = 0; i < o.SymbolCount; i += 1 + o.Symbol(i).AuxCount)
        {
            CoffSymbol s = o.Symbol(i);
            // @feat.00 says that an object supports exception handlers, which Go has none of on x86.
            if (s.Name.Length == 0 || s.IsSection || s.Section > o.Sections.Length || s.Section == PeConstants.SectionDebug
                || (s.Section == PeConstants.SectionAbsolute && s.Name == "@feat.00")
                || (s.Section > 0 && o.Sections[s.Section - 1].Symbol.IsNone))
            {
                continue;
            }
            SymbolId symbol = Enter(o, s, localVersion);
            if (s.Section == 0)
            {
                if (_symbols.Kind(symbol) == SymbolKind.XRef && s.Value > 0)
                    _symbols.Update(symbol).SetKind(SymbolKind.NoPtrData).SetSize(s.Value);
                continue;
            }
            if (s.Section < 0)
                throw Error($"{file}: {symbol.Index}: sectnum < 0!");
            Define(o.Sections[s.Section - 1], symbol, s, file, comdats, parts);
        }
        return parts;
    }

    private void Define(
        CoffSection section, SymbolId symbol, CoffSymbol s, string file, Dictionary<int, long> comdats, Dictionary<SymbolId, List<SymbolId>> parts)
    {
        string name = _symbols.NameText(symbol);
        bool isComdat = comdats.TryGetValue(s.Section - 1, out long size);
        if (isComdat && _comdatDefinitions.TryGetValue(name, out long known) && known == size)
            return;
        SymbolId outer = _symbols.Outer(symbol);
        if (!outer.IsNone)
        {
            if (_symbols.IsDupOk(symbol))
                return;
            throw Error($"{file}: duplicate symbol reference: {name} in both {_symbols.NameText(outer)} and {_symbols.NameText(section.Symbol)}");
        }
        SymbolBuilder b = _symbols.Update(symbol);
        b.SetKind(_symbols.Kind(section.Symbol));
        if (!parts.TryGetValue(section.Symbol, out List<SymbolId>? list))
            parts.Add(section.Symbol, list = []);
        list.Add(symbol);
        _symbols.SetCarrier(symbol, section.Symbol);
        _symbols.SetValue(symbol, s.Value);
        b.SetSize(4);
        if (b.Kind.IsText() && !_symbols.FromHostObject.Add(symbol) && !_symbols.IsDupOk(symbol))
            throw Error($"{name}: duplicate symbol definition");
        if (isComdat && !_comdatDefinitions.TryAdd(name, size))
            throw Error($"internal error: preexisting COMDAT definition for {Cli.GoText.Quote(s.Name)}");
    }

    /// <summary>Finds or makes the symbol of an entry (readpesym).</summary>
    private SymbolId Enter(CoffObject o, CoffSymbol s, int localVersion)
    {
        string name = s.Name;
        if (s.IsSection)
        {
            if (s.Section < 1 || s.Section > o.Sections.Length)
                throw Error($"{name}: invalid section number {s.Section}");
            name = _symbols.NameText(o.Sections[s.Section - 1].Symbol);
        }
        else if (_cpu.HasUnderscores && name.StartsWith('_') && name != "_main" && !name.StartsWith(ImportPrefix, StringComparison.Ordinal))
        {
            name = name[1..];
        }
        // Names of functions with Windows' calling convention end with the size of their arguments.
        int at = name.LastIndexOf('@');
        if (at >= 0)
            name = name[..at];

        if (((s.Type >> 4) & 15) is not (0 or 2))
            throw Error($"{s.Name}: invalid symbol type {s.Type}");
        SymbolId symbol;
        switch (s.Class)
        {
            case PeConstants.ClassExternal:
                // What Go exports under a name goes before what is called so.
                if (!_symbols.CgoExportNames.TryGetValue(name, out symbol))
                    symbol = _symbols.LookupOrCreate(RawText.Encode(name), 0);
                break;
            case 0 or PeConstants.ClassStatic or PeConstants.ClassLabel:
                symbol = _symbols.LookupOrCreate(RawText.Encode(name), localVersion);
                _symbols.Update(symbol).SetDuplicateOk();
                break;
            default:
                throw Error($"{s.Name}: invalid symbol binding {s.Class}");
        }
        if (_symbols.Kind(symbol) == SymbolKind.None && (s.Class != PeConstants.ClassStatic || s.Value != 0))
            _symbols.Update(symbol).SetKind(SymbolKind.XRef);
        return symbol;
    }

    /// <summary>Chains the parts of each section by address and lists the functions.</summary>
    private List<SymbolId> OrderParts(CoffObject o, Dictionary<SymbolId, List<SymbolId>> entered)
    {
        List<SymbolId> text = [];
        foreach (CoffSection section in o.Sections)
        {
            if (section.Symbol.IsNone)
                continue;
            // Of parts at one address, the last one entered comes first.
            List<SymbolId> parts = entered.TryGetValue(section.Symbol, out List<SymbolId>? list)
                ? [.. Enumerable.Reverse(list).OrderBy(_symbols.Value)]
                : [];
            SymbolId previous = section.Symbol;
            foreach (SymbolId part in parts)
            {
                _symbols.Sub[previous] = part;
                previous = part;
            }
            _allSections.Add(section.Symbol);
            if (!_symbols.Kind(section.Symbol).IsText())
                continue;
            AddText(section.Symbol);
            foreach (SymbolId part in parts)
                AddText(part);
        }
        return text;

        void AddText(SymbolId s)
        {
            if (_symbols.Has(s, SymbolTable.Attributes.OnList))
                throw Error($"symbol {_symbols.NameText(s)} listed multiple times");
            _symbols.Set(s, SymbolTable.Attributes.OnList);
            text.Add(s);
        }
    }

    private static LinkException Error(string text) => new(MessageForm.Bare, text);
}
