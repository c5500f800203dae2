using System.Buffers.Binary;
using System.Text;
using AotLinker.Objects;
using AotLinker.Tests.Objects;

namespace AotLinker.Tests.Synthesize.Dwarf;

/// <summary>
/// Builds a Go object whose symbols refer to each other by name: type descriptors, functions with their DWARF symbols, variables. What it
/// does not define itself becomes a reference by name.
/// </summary>
internal sealed class SampleObject(string package, ReadOnlyMemory<byte> relocKinds, bool dwarf5)
{
    // Kinds in the object file (cmd/internal/objabi.SymKind).
    private const byte Text = 1, RoData = 3, NoPtrData = 5, DwarfFcn = 14, DwarfAbsFcn = 15, DwarfVar = 17, DwarfRange = 18, DwarfLoc = 19,
        DwarfLines = 20, DwarfConst = 13;

    private readonly List<Symbol> _symbols = [];
    private readonly List<string> _files = [];

    private sealed record Symbol(string Name, string Key, bool ByName, byte Kind, byte[] Data, Reference[] References, (AuxKind, string)[] Auxes);

    /// <summary>A relocation to a symbol by name.</summary>
    public readonly record struct Reference(int Offset, int Size, RelocKind Kind, string Target, long Addend = 0);

    public SampleObject AddFile(string name)
    {
        _files.Add(name);
        return this;
    }

    public SampleObject Type(string name, GoKind kind, long size, byte[]? tail = null, params Reference[] references)
    {
        byte[] data = [.. new byte[48], .. tail ?? []];
        BinaryPrimitives.WriteInt64LittleEndian(data, size);
        data[23] = (byte)kind;
        Add("type:" + name, "type:" + name, true, RoData, data, references, []);
        return this;
    }

    public SampleObject Reference1(string name, GoKind kind, string element) =>
        Type(name, kind, 8, new byte[32], new Reference(48, 8, RelocKind.Addr, "type:" + element));

    public SampleObject Map(string key, string element, string group) =>
        Type($"map[{key}]{element}", GoKind.Map, 8, new byte[64],
            new Reference(48, 8, RelocKind.Addr, "type:" + key), new Reference(56, 8, RelocKind.Addr, "type:" + element),
            new Reference(64, 8, RelocKind.Addr, "type:" + group));

    /// <summary>A struct type; a name that begins with "+" is embedded.</summary>
    public SampleObject Struct(string name, params (string Name, string Type)[] fields)
    {
        byte[] tail = new byte[32 + (24 * fields.Length)];
        BinaryPrimitives.WriteInt64LittleEndian(tail.AsSpan(16), fields.Length);
        List<Reference> references = [];
        for (int i = 0; i < fields.Length; i++)
        {
            bool embedded = fields[i].Name.StartsWith('+');
            string text = fields[i].Name.TrimStart('+');
            string record = $"type:.namedata.{text}{(embedded ? "+" : "-")}";
            AddOnce(record, RoData, [(byte)(embedded ? 8 : 0), (byte)text.Length, .. Encoding.UTF8.GetBytes(text)]);
            references.Add(new Reference(80 + (24 * i), 8, RelocKind.Addr, record));
            references.Add(new Reference(88 + (24 * i), 8, RelocKind.Addr, "type:" + fields[i].Type));
            BinaryPrimitives.WriteInt64LittleEndian(tail.AsSpan(48 + (24 * i)), 8 * i);
        }
        return Type(name, GoKind.Struct, 8 * fields.Length, tail, [.. references]);
    }

    public SampleObject Func(string name, bool variadic, string[] parameters, string[] results)
    {
        byte[] tail = new byte[8 + (8 * (parameters.Length + results.Length))];
        tail[0] = (byte)parameters.Length;
        tail[2] = (byte)results.Length;
        tail[3] = (byte)(variadic ? 0x80 : 0);
        string[] all = [.. parameters, .. results];
        return Type(name, GoKind.Func, 8, tail, [.. all.Select((t, i) => new Reference(56 + (8 * i), 8, RelocKind.Addr, "type:" + t))]);
    }

    public SampleObject Interface(string name, int methods)
    {
        byte[] tail = new byte[32];
        tail[16] = (byte)methods;
        return Type(name, GoKind.Interface, 16, tail);
    }

    /// <summary>A function with a local variable of a type, an inlined call, and all tables.</summary>
    public SampleObject Function(string name, string localType, string? inlined = null, string? usedType = null)
    {
        string info = name + "$info", ranges = name + "$ranges", locations = name + "$loc", lines = name + "$lines";
        List<byte> die = [3, .. Encoding.UTF8.GetBytes(name), 0];
        List<Reference> references = [];
        AddPcs(20);
        // frame_base, decl_file, decl_line, external
        die.AddRange([1, 0x9c, 1, 0, 0, 0, 7, 1]);
        // A variable with a list of locations: name, decl_line, type, location.
        die.AddRange([33 + 6, .. "v"u8, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0]);
        references.Add(new Reference(die.Count - 8, 4, RelocKind.DwarfSecRef, "go:info." + localType));
        references.Add(new Reference(die.Count - 4, 4, RelocKind.DwarfSecRef, locations));
        // A block in several ranges, with an inlined call in it.
        die.AddRange([12, 0, 0, 0, 0]);
        references.Add(new Reference(die.Count - 4, 4, RelocKind.DwarfSecRef, ranges, 1));
        if (inlined is not null)
        {
            die.AddRange([8, 0, 0, 0, 0]);
            references.Add(new Reference(die.Count - 4, 4, RelocKind.DwarfSecRef, inlined + "$abstract"));
            AddPcs(4);
            die.AddRange([1, 0, 0, 0, 3, 0]);
        }
        die.AddRange([0, 0]);
        if (usedType is not null)
        {
            references.Add(new Reference(0, 0, RelocKind.UseType, "type:" + usedType));
        }
        Add(info, "", false, DwarfFcn, [.. die], [.. references], []);
        if (dwarf5)
        {
            Add(ranges, "", false, DwarfRange, [1, 0, 4, 1, 9, 0], [new Reference(1, 1, RelocKind.DwTxtAddrU1, name)], []);
            Add(locations, "", false, DwarfLoc, [1, 0, 4, 1, 9, 1, 0x50, 0], [new Reference(1, 1, RelocKind.DwTxtAddrU1, name)], []);
        }
        else
        {
            Reference[] pair = [new(0, 8, RelocKind.AddrCuOff, name, 1), new(8, 8, RelocKind.AddrCuOff, name, 9)];
            Add(ranges, "", false, DwarfRange, new byte[32], pair, []);
            Add(locations, "", false, DwarfLoc, [.. new byte[16], 1, 0, 0x50, .. new byte[16]], pair, []);
        }
        Add(lines, "", false, DwarfLines, [0, 9, 2, .. new byte[8], 1, 0, 1, 1], [new Reference(3, 8, RelocKind.Addr, name)], []);
        Add(name + "$funcinfo", "", false, RoData, new byte[24], [], []);
        // At 0 bytes until pc 4, then at 16, then at 0 again until the end, 20.
        Add(name + "$pcsp", "", false, RoData, [2, 4, 32, 12, 31, 4, 0], [], []);
        Add(name, name, false, Text, new byte[20], [], [(AuxKind.FuncInfo, name + "$funcinfo"), (AuxKind.DwarfInfo, info),
            (AuxKind.DwarfLoc, locations), (AuxKind.DwarfRanges, ranges), (AuxKind.DwarfLines, lines), (AuxKind.PcSp, name + "$pcsp")]);
        return this;

        // low_pc and high_pc: an index and a length, or two addresses.
        void AddPcs(byte length)
        {
            if (dwarf5)
            {
                references.Add(new Reference(die.Count, 1, RelocKind.DwTxtAddrU1, name));
                die.AddRange([0, length]);
                return;
            }
            references.Add(new Reference(die.Count, 8, RelocKind.Addr, name));
            references.Add(new Reference(die.Count + 8, 8, RelocKind.Addr, name, length));
            die.AddRange(new byte[16]);
        }
    }

    /// <summary>The DIE of an inlined function with a parameter of a type.</summary>
    public SampleObject Abstract(string name, string parameterType)
    {
        List<byte> die = [5, .. Encoding.UTF8.GetBytes(name), 0, 1, 5, 1, 33 + 1, .. "p"u8, 0, 0, 0, 0, 0, 0];
        Add(name + "$abstract", name + "$abstract", true, DwarfAbsFcn, [.. die, 0],
            [new Reference(die.Count - 4, 4, RelocKind.DwarfSecRef, "go:info." + parameterType)], []);
        return this;
    }

    /// <summary>A global variable and its DIE.</summary>
    public SampleObject Variable(string name, string type)
    {
        List<byte> die = [10, .. Encoding.UTF8.GetBytes(name), 0, 9, 3, .. new byte[8], 0, 0, 0, 0, 1];
        Add(name + "$info", "", false, DwarfVar, [.. die],
            [new Reference(die.Count - 13, 8, RelocKind.Addr, name), new Reference(die.Count - 5, 4, RelocKind.DwarfSecRef, "go:info." + type)], []);
        Add(name, name, false, NoPtrData, new byte[8], [], [(AuxKind.GoType, "type:" + type), (AuxKind.DwarfInfo, name + "$info")]);
        return this;
    }

    /// <summary>The package's constants: one, of a type.</summary>
    public SampleObject Constant(string name, string type)
    {
        List<byte> die = [11, .. Encoding.UTF8.GetBytes(name), 0, 0, 0, 0, 0, 42];
        Add("go:constinfo." + package, "go:constinfo." + package, true, DwarfConst, [.. die],
            [new Reference(die.Count - 5, 4, RelocKind.DwarfSecRef, "go:info." + type)], []);
        return this;
    }

    /// <summary>The types that the linker asks of package runtime and its like.</summary>
    public SampleObject RuntimeTypes()
    {
        Type("uint8", GoKind.Uint8, 1).Type("int", GoKind.Int, 8).Type("uintptr", GoKind.Uintptr, 8).Type("string", GoKind.String, 16)
            .Type("bool", GoKind.Bool, 1).Type("unsafe.Pointer", GoKind.UnsafePointer, 8).Reference1("*uint8", GoKind.Pointer, "uint8");
        Struct("runtime.eface", ("_type", "unsafe.Pointer"), ("data", "unsafe.Pointer"));
        Struct("runtime.iface", ("tab", "unsafe.Pointer"), ("data", "unsafe.Pointer"));
        Struct("runtime.stringStructDWARF", ("str", "*uint8"), ("len", "int"));
        Struct("runtime.slice", ("array", "unsafe.Pointer"), ("len", "int"), ("cap", "int"));
        Struct("runtime.sudog", ("g", "unsafe.Pointer"), ("elem", "unsafe.Pointer"));
        Struct("runtime.waitq", ("first", "*runtime.sudog"), ("last", "*runtime.sudog"));
        Reference1("*runtime.sudog", GoKind.Pointer, "runtime.sudog");
        Struct("runtime.hchan", ("qcount", "int"), ("recvq", "runtime.waitq"), ("sendq", "runtime.waitq"));
        Struct("internal/runtime/maps.Map", ("used", "int"), ("dirPtr", "unsafe.Pointer"));
        Struct("internal/runtime/maps.table", ("used", "int"), ("groups", "internal/runtime/maps.groupsReference"));
        Struct("internal/runtime/maps.groupsReference", ("data", "unsafe.Pointer"), ("lengthMask", "int"));
        Struct("runtime.bmap", ("tophash", "uint8"));
        Struct("runtime.hmap", ("count", "int"), ("buckets", "unsafe.Pointer"), ("oldbuckets", "unsafe.Pointer"));
        foreach (string name in (string[])["Type", "ArrayType", "ChanType", "FuncType", "MapType", "SwissMapType", "OldMapType", "PtrType", "SliceType",
            "StructType", "InterfaceType", "ITab", "Imethod"])
        {
            Struct("internal/abi." + name, ("f", "int"));
        }
        return this;
    }

    /// <summary>Takes a definition out again.</summary>
    public void Remove(string? name) => _symbols.RemoveAll(s => s.Name == name);

    /// <summary>Takes the content of all functions' records away.</summary>
    public void RemoveRecords()
    {
        for (int i = 0; i < _symbols.Count; i++)
        {
            if (_symbols[i].Name.EndsWith("$funcinfo", StringComparison.Ordinal))
            {
                _symbols[i] = _symbols[i] with { Data = [] };
            }
        }
    }

    public GoObject Open(int index)
    {
        Dictionary<string, (uint Package, uint Symbol)> places = [];
        uint own = 0, named = 0;
        foreach (Symbol s in _symbols)
        {
            places[s.Name] = s.ByName ? (SymRef.NonPackage, named++) : (SymRef.Self, own++);
        }
        List<string> missing = [];
        foreach (string target in _symbols.SelectMany(s => s.References.Select(r => r.Target).Concat(s.Auxes.Select(a => a.Item2))))
        {
            if (places.TryAdd(target, (SymRef.NonPackage, named + (uint)missing.Count)))
            {
                missing.Add(target);
            }
        }
        GoObjectWriter writer = new(package);
        foreach (Symbol s in _symbols)
        {
            writer.DefineFull(s.Key, s.ByName, s.Kind, (byte)(s.ByName ? 1 : 0), s.Data,
                [.. s.References.Select(r => new GoObjectWriter.Reloc(
                    r.Offset, (byte)r.Size, Number(r.Kind), r.Addend, places[r.Target].Package, places[r.Target].Symbol))],
                [.. s.Auxes.Select(a => new GoObjectWriter.Aux(a.Item1, places[a.Item2].Package, places[a.Item2].Symbol))]);
        }
        missing.ForEach(name => writer.Refer(name));
        _files.ForEach(name => writer.AddFile(name));
        return writer.Open(index);
    }

    private ushort Number(RelocKind kind) => (ushort)relocKinds.Span.IndexOf((byte)kind);

    private void AddOnce(string name, byte kind, byte[] data)
    {
        if (!_symbols.Exists(s => s.Name == name))
        {
            Add(name, name, true, kind, data, [], []);
        }
    }

    private void Add(string name, string key, bool byName, byte kind, byte[] data, Reference[] references, (AuxKind, string)[] auxes) =>
        _symbols.Add(new Symbol(name, key, byName, kind, data, references, auxes));
}
