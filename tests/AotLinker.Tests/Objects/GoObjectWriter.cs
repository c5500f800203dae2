using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using AotLinker.Load;
using AotLinker.Objects;

namespace AotLinker.Tests.Objects;

/// <summary>Writes a Go object file in memory, block by block, for tests of what reads it.</summary>
internal sealed class GoObjectWriter(string package)
{
    private readonly List<SymbolSpec> _defs = [];
    private readonly List<SymbolSpec> _hashed64 = [];
    private readonly List<SymbolSpec> _hashed = [];
    private readonly List<SymbolSpec> _named = [];
    private readonly List<SymbolSpec> _references = [];
    private readonly List<string> _packages = [""];
    private readonly List<string> _files = [];

    public uint Flags { get; set; }

    public GoObjectWriter Define(string name, byte kind, uint size, byte[]? data = null, byte flags = 0, byte flags2 = 0, params Reloc[] relocs)
    {
        _defs.Add(new SymbolSpec(name, 0, kind, flags, flags2, size, data ?? [], relocs, [], 0));
        return this;
    }

    /// <summary>A definition of the package, or one by name, with all that one can have.</summary>
    public GoObjectWriter DefineFull(string name, bool byName, byte kind, byte flags, byte[] data, Reloc[] relocs, Aux[] auxes)
    {
        (byName ? _named : _defs).Add(new SymbolSpec(name, 0, kind, flags, 0, (uint)data.Length, data, relocs, auxes, 0));
        return this;
    }

    public GoObjectWriter AddFile(string name)
    {
        _files.Add(name);
        return this;
    }

    public GoObjectWriter DefineHashed(ulong hash, byte kind, uint size, byte[] data, string name = "")
    {
        _hashed64.Add(new SymbolSpec(name, 0, kind, 1, 0, size, data, [], [], hash));
        return this;
    }

    /// <summary>A content with a hash of 128 bits, the upper half of which is zero.</summary>
    public GoObjectWriter DefineContent(ulong hash, byte kind, uint size, byte[] data, string name = "")
    {
        _hashed.Add(new SymbolSpec(name, 0, kind, 1, 0, size, data, [], [], hash));
        return this;
    }

    public GoObjectWriter DefineNamed(
        string name, byte kind, uint size, byte[]? data = null, byte flags = 0, byte flags2 = 0, ushort abi = 0, uint align = 0)
    {
        _named.Add(new SymbolSpec(name, abi, kind, flags, flags2, size, data ?? [], [], [], 0) { Align = align });
        return this;
    }

    /// <summary>A definition of the package with an alignment.</summary>
    public GoObjectWriter DefineAligned(string name, byte kind, uint size, uint align, byte flags = 0)
    {
        _defs.Add(new SymbolSpec(name, 0, kind, flags, 0, size, [], [], [], 0) { Align = align });
        return this;
    }

    public GoObjectWriter Refer(string name, byte flags2 = 0, ushort abi = 0, byte flags = 0)
    {
        _references.Add(new SymbolSpec(name, abi, 0, flags, flags2, 0, [], [], [], 0));
        return this;
    }

    public GoObjectWriter ReferPackage(string path)
    {
        _packages.Add(path);
        return this;
    }

    public byte[] ToBytes()
    {
        List<byte> strings = [];
        Dictionary<string, uint> offsets = [];
        const int HeaderSize = 8 + 8 + 4 + (4 * 19);
        SymbolSpec[] definitions = [.. _defs, .. _hashed64, .. _hashed, .. _named];
        SymbolSpec[] all = [.. definitions, .. _references];
        foreach (string s in all.Select(x => x.Name).Concat(_packages).Concat(_files))
        {
            if (offsets.TryAdd(s, (uint)(HeaderSize + strings.Count)))
            {
                strings.AddRange(Encoding.UTF8.GetBytes(s));
            }
        }
        List<byte> blocks = [];
        uint[] starts = new uint[19];
        uint start = (uint)(HeaderSize + strings.Count);

        void Begin(int block) => starts[block] = start + (uint)blocks.Count;
        void U32(uint v) => blocks.AddRange(BitConverter.GetBytes(v));
        void U16(ushort v) => blocks.AddRange(BitConverter.GetBytes(v));
        void U64(ulong v) => blocks.AddRange(BitConverter.GetBytes(v));
        void Text(string s)
        {
            U32((uint)Encoding.UTF8.GetByteCount(s));
            U32(offsets[s]);
        }

        void Symbols(IEnumerable<SymbolSpec> symbols)
        {
            foreach (SymbolSpec s in symbols)
            {
                Text(s.Name);
                U16(s.Abi);
                blocks.Add(s.Kind);
                blocks.Add(s.Flags);
                blocks.Add(s.Flags2);
                U32(s.Size);
                U32(s.Align);
            }
        }

        void Index(Func<SymbolSpec, int> count)
        {
            int n = 0;
            foreach (SymbolSpec s in definitions)
            {
                U32((uint)n);
                n += count(s);
            }
            U32((uint)n);
        }

        Begin(0);
        Begin(1);
        _packages.ForEach(Text);
        Begin(2);
        _files.ForEach(Text);
        Begin(3);
        Symbols(_defs);
        Begin(4);
        Symbols(_hashed64);
        Begin(5);
        Symbols(_hashed);
        Begin(6);
        Symbols(_named);
        Begin(7);
        Symbols(_references);
        Begin(8);
        Begin(9);
        _hashed64.ForEach(s => U64(s.Hash));
        Begin(10);
        _hashed.ForEach(s =>
        {
            U64(s.Hash);
            U64(0);
        });
        Begin(11);
        Index(s => s.Relocs.Length);
        Begin(12);
        Index(s => s.Auxes.Length);
        Begin(13);
        Index(s => s.Data.Length);
        Begin(14);
        foreach (Reloc r in definitions.SelectMany(s => s.Relocs))
        {
            U32((uint)r.Offset);
            blocks.Add(r.Size);
            U16(r.Kind);
            U64((ulong)r.Addend);
            U32(r.Package);
            U32(r.Symbol);
        }
        Begin(15);
        foreach (Aux a in definitions.SelectMany(s => s.Auxes))
        {
            blocks.Add((byte)a.Kind);
            U32(a.Package);
            U32(a.Symbol);
        }
        Begin(16);
        foreach (SymbolSpec s in definitions)
        {
            blocks.AddRange(s.Data);
        }
        Begin(17);
        Begin(18);

        byte[] header = new byte[HeaderSize];
        GoObject.Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(16), Flags);
        for (int i = 0; i < starts.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(20 + (4 * i)), starts[i]);
        }
        return [.. header, .. strings, .. blocks];
    }

    /// <summary>Opens the object in native memory, which stays for the test run.</summary>
    public GoObject Open(int index) => Open(ToBytes(), package, index);

    public static unsafe GoObject Open(byte[] bytes, string package, int index)
    {
        byte* p = (byte*)NativeMemory.Alloc((nuint)Math.Max(1, bytes.Length));
        bytes.CopyTo(new Span<byte>(p, bytes.Length));
        Package owner = new() { Path = package, File = package + ".a", ObjectRef = "", SourceRef = "" };
        return new GoObject(p, bytes.Length, package + ".a(_go_.o)")
        {
            Unit = new CompilationUnit(owner),
            Index = index,
            StaticVersion = SymbolTable.StaticVersion + index,
        };
    }

    public readonly record struct Reloc(int Offset, byte Size, ushort Kind, long Addend, uint Package, uint Symbol);

    public readonly record struct Aux(AuxKind Kind, uint Package, uint Symbol);

    private sealed record SymbolSpec(
        string Name, ushort Abi, byte Kind, byte Flags, byte Flags2, uint Size, byte[] Data, Reloc[] Relocs, Aux[] Auxes, ulong Hash)
    {
        public uint Align { get; init; }
    }
}
