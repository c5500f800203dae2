using System.Buffers.Binary;
using System.Text;
using AotLinker.Formats.Pe;
using AotLinker.Load;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Tests.Formats;

/// <summary>COFF objects made byte by byte, as gcc and a resource compiler would make them.</summary>
public class HostPeTests
{
    private const uint Text = 0x6000_0020;
    private const uint ReadOnly = 0x4000_0040;
    private const uint Writable = 0xc000_0040;
    private const uint Zeroed = 0xc000_0080;
    private const uint Comdat = 0x1000;
    private const byte External = 2;
    private const byte Static = 3;

    private readonly LinkContext _ctx;
    private readonly HostPe _loader;

    public HostPeTests()
        : this("go1.27")
    {
    }

    private HostPeTests(string release)
    {
        _ctx = new PeSample(BuildMode.Exe, release: release).Context;
        _loader = new HostPe(_ctx);
    }

    [Fact]
    public void SectionsHoldTheirSymbolsByAddress()
    {
        List<SymbolId> text = Load(Sample());
        SymbolTable symbols = _ctx.Symbols;
        // "second" and "helper" share an address: the one entered last is first.
        Assert.Equal(["main(.text)", "first", "helper", "second"], text.Select(symbols.NameText));
        Assert.Equal((SymbolKind.Text, 32L), (symbols.Kind(text[0]), symbols.Size(text[0])));
        foreach (SymbolId part in text.Skip(1))
        {
            Assert.Equal(text[0], symbols.Outer(part));
            Assert.True(symbols.IsInterior(part));
            Assert.Equal(4, symbols.Size(part));
        }
        Assert.Equal([0, 8, 8], text.Skip(1).Select(symbols.Value));
        Assert.Equal(SymbolTable.StaticVersion, symbols.Version(text[2]));
        SymbolId bss = symbols.Lookup("main(.bss)"u8, SymbolTable.StaticVersion);
        Assert.Equal((SymbolKind.NoPtrBss, 40L, 0), (symbols.Kind(bss), symbols.Size(bss), symbols.Data(bss).Length));
        Assert.Equal(SymbolKind.XRef, symbols.Kind(symbols.Lookup("missing"u8, 0)));
        SymbolId common = symbols.Lookup("common"u8, 0);
        Assert.Equal((SymbolKind.NoPtrData, 400L), (symbols.Kind(common), symbols.Size(common)));
        Assert.True(symbols.Lookup("main(.debug_info)"u8, SymbolTable.StaticVersion).IsNone);
    }

    [Fact]
    public void RelocationsTakeTheirAddendsFromTheFields()
    {
        SymbolId text = Load(Sample())[0];
        RelocList relocs = _ctx.Symbols.Relocs(text);
        List<string> found = [];
        for (int i = 0; i < relocs.Count; i++)
            found.Add($"{relocs[i].Offset} {relocs.Kind(i)} {relocs[i].Size} {_ctx.Symbols.NameText(relocs.Target(i))} {relocs[i].Addend}");
        // Sorted by offset. A section's symbol adds its value.
        Assert.Equal(["4 PcRel 4 missing -7", "16 Addr 8 main(.data) 259", "24 PeImageOff 4 first 0"], found);
    }

    [Fact]
    public void UnwindInformationLivesAsLongAsItsFunction()
    {
        Load(WithUnwindTable());
        SymbolTable symbols = _ctx.Symbols;
        SymbolId entry = Assert.Single(_ctx.PData);
        Assert.Equal((SymbolKind.SehSect, 12L, 4), (symbols.Kind(entry), symbols.Size(entry), symbols.Align(entry)));
        SymbolId xdata = Assert.Single(_ctx.XData);
        Assert.Equal("main(.xdata)", symbols.NameText(xdata));
        RelocList relocs = symbols.Relocs(entry);
        Assert.Equal([0, 4, 8], relocs.Records.ToArray().Select(r => r.Offset));
        Assert.All(relocs.Records.ToArray(), r => Assert.True(r.IsWeak));

        // The section that holds the function keeps the entry, its information and the handler that this names.
        RelocList text = symbols.Relocs(symbols.Lookup("main(.text)"u8, SymbolTable.StaticVersion));
        List<string> kept = [];
        for (int i = 0; i < text.Count; i++)
            kept.Add($"{text.Kind(i)} {text[i].Size} {symbols.NameText(text.Target(i))}");
        Assert.Equal(["Keep 0 ", "Keep 0 main(.xdata)", "Keep 0 handler"], kept);
        Assert.False(symbols.IsReachable(xdata));
    }

    [Fact]
    public void OlderReleasesKeepTheWholeTable()
    {
        HostPeTests old = new("go1.26");
        old.Load(WithUnwindTable());
        SymbolTable symbols = old._ctx.Symbols;
        SymbolId pdata = Assert.Single(old._ctx.PData);
        Assert.Equal("main(.pdata)", symbols.NameText(pdata));
        Assert.True(symbols.IsReachable(pdata));
        Assert.True(symbols.IsReachable(Assert.Single(old._ctx.XData)));
        RelocList text = symbols.Relocs(symbols.Lookup("main(.text)"u8, SymbolTable.StaticVersion));
        Assert.Equal(1, text.Count);
        Assert.Equal("handler", symbols.NameText(text.Target(0)));
    }

    [Fact]
    public void OfComdatSectionsTheFirstOneIsKept()
    {
        byte[] file = WithComdat(selection: 2);
        List<SymbolId> first = Load(file);
        List<SymbolId> second = Load(file, SymbolTable.StaticVersion + 1);
        Assert.Equal(["main(.text$inline)", "inline"], first.Select(_ctx.Symbols.NameText));
        Assert.Equal(["main(.text$inline)"], second.Select(_ctx.Symbols.NameText));
        Assert.Equal(first[0], _ctx.Symbols.Outer(first[1]));
        LinkException error = Assert.Throws<LinkException>(() => Load(WithComdat(selection: 5)));
        Assert.Equal("internal error: unsupported COMDAT selection strategy found in path=a.o sec=7 strategy=5 idx=0, please file a bug", error.Message);
    }

    [Fact]
    public void ImportsAreMarkedForStubsAndVariables()
    {
        SymbolTable symbols = _ctx.Symbols;
        SymbolId called = symbols.Update("puts"u8, 0).SetKind(SymbolKind.DynImport).Symbol;
        SymbolId loaded = symbols.Update("errno"u8, 0).SetKind(SymbolKind.DynImport).Symbol;
        CoffBuilder b = new();
        int text = b.Section(".text", Text, new byte[24]);
        int data = b.Section(".data", Writable, new byte[8]);
        int puts = b.Symbol("puts", 0, 0, External);
        int variable = b.Symbol("__imp_errno", 0, 0, External);
        b.Relocations(text, [(4, puts, 4), (12, variable, 4), (20, puts, 4)]);
        b.Relocations(data, [(0, variable, 1)]);
        List<SymbolId> functions = Load(b.Build());
        _loader.ResolveImports();
        Assert.Equal(PeImportStubs.Wanted, symbols.PltOffset[called]);
        Assert.Equal(PeImportStubs.Wanted, symbols.GotOffset[symbols.Lookup("__imp_errno"u8, 0)]);
        // Data is not code: it refers to the import at once.
        Assert.Equal(loaded, symbols.Relocs(symbols.Lookup("main(.data)"u8, SymbolTable.StaticVersion)).Target(0));

        // What collecting imports makes of them.
        symbols.Update(called).SetKind(SymbolKind.Windows);
        symbols.Update(loaded).SetKind(SymbolKind.Windows);
        symbols.Set(symbols.Lookup("__imp_errno"u8, 0), SymbolTable.Attributes.Reachable);
        _ctx.Text.Add(functions[0]);
        PeImportStubs.Add(_ctx, PeAmd64.Instance);
        SymbolId stubs = _ctx.Text[^1];
        Assert.Equal(".rel", symbols.NameText(stubs));
        Assert.Equal(8, symbols.Size(stubs));
        RelocList relocs = symbols.Relocs(functions[0]);
        Assert.Equal((stubs, 0L), (relocs.Target(0), relocs[0].Addend));
        Assert.Equal(loaded, relocs.Target(1));
        Assert.Equal((stubs, 0L), (relocs.Target(2), relocs[2].Addend));
    }

    [Fact]
    public void ResourcesKnowTheirAddress()
    {
        CoffBuilder b = new();
        byte[] content = new byte[24];
        content[8] = 16;
        int rsrc = b.Section(".rsrc", ReadOnly, content);
        int symbol = b.Symbol(".rsrc", 0, rsrc, Static);
        b.Relocations(rsrc, [(8, symbol, 3)]);
        Load(b.Build());
        SymbolId s = _ctx.Symbols.Lookup("main(.rsrc)"u8, SymbolTable.StaticVersion);
        byte[] built = new PeResources([s]).Build(_ctx, 0x5000);
        Assert.Equal(24, built.Length);
        Assert.Equal(0x5010u, BinaryPrimitives.ReadUInt32LittleEndian(built.AsSpan(8)));
    }

    [Fact]
    public void SplitResourcesReferToTheSecondSection()
    {
        CoffBuilder b = new();
        int directory = b.Section(".rsrc$01", ReadOnly, new byte[16]);
        int data = b.Section(".rsrc$02", ReadOnly, new byte[40]);
        int symbol = b.Symbol("$R000008", 8, data, Static);
        b.Relocations(directory, [(4, symbol, 3)]);
        Load(b.Build());
        SymbolId[] sections = [.. new[] { "main(.rsrc$01)", "main(.rsrc$02)" }.Select(
            name => _ctx.Symbols.Lookup(Encoding.UTF8.GetBytes(name), SymbolTable.StaticVersion))];
        byte[] built = new PeResources(sections).Build(_ctx, 0x5000);
        Assert.Equal(56, built.Length);
        Assert.Equal(0x5000u + 16 + 8, BinaryPrimitives.ReadUInt32LittleEndian(built.AsSpan(4)));
    }

    [Theory]
    [InlineData(1, "a.o: \\d+: unknown relocation type 77", 77u)]
    [InlineData(2, "unexpected flags 0xe0000020 for PE section .odd", 4u)]
    [InlineData(3, "first: invalid symbol binding 105", 4u)]
    [InlineData(4, "first: invalid symbol type 48", 4u)]
    public void WhatWeDoNotKnowIsNamed(int what, string message, uint relocation)
    {
        CoffBuilder b = new();
        int text = b.Section(".text", Text, new byte[16]);
        if (what == 2)
            b.Section(".odd", 0xe000_0020, new byte[4]);
        int first = b.Symbol("first", 0, text, what == 3 ? (byte)105 : External, what == 4 ? (ushort)0x30 : (ushort)0x20);
        b.Relocations(text, [(4, first, (ushort)relocation)]);
        LinkException error = Assert.Throws<LinkException>(() => Load(b.Build()));
        Assert.Matches("^" + message + "$", error.Message);
        Assert.Equal(MessageForm.Bare, error.Form);
    }

    [Fact]
    public void DamageIsAnErrorAndNeverMore()
    {
        int refused = 0;
        foreach (byte[] sound in (byte[][])[Sample(), WithUnwindTable(), WithComdat(2)])
        {
            for (int length = 0; length < sound.Length; length += 3)
                LoadDamaged(sound[..length]);
            Random random = new(1);
            for (int round = 0; round < 300; round++)
            {
                byte[] damaged = [.. sound];
                for (int i = 0; i < 3; i++)
                    damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
                refused += LoadDamaged(damaged) ? 0 : 1;
            }
        }
        Assert.InRange(refused, 20, 899);
    }

    private static bool LoadDamaged(byte[] file)
    {
        try
        {
            new HostPeTests().Load(file);
            return true;
        }
        catch (LinkException)
        {
            return false;
        }
    }

    private unsafe List<SymbolId> Load(byte[] file, int version = SymbolTable.StaticVersion)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        File.WriteAllBytes(path, file);
        try
        {
            InputFile input = InputFile.Open(path);
            ParsedMember member = new() { Kind = MemberKind.HostPe, DisplayName = "a.o", Offset = 0, Length = input.Length };
            Package package = new() { Path = "main", File = path, ObjectRef = "", SourceRef = "" };
            return _loader.Load(new HostObject(MemberKind.HostPe, "main", package, input, member), version);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static byte[] Sample()
    {
        CoffBuilder b = new();
        byte[] code = new byte[32];
        BinaryPrimitives.WriteInt32LittleEndian(code.AsSpan(4), -7);
        BinaryPrimitives.WriteInt64LittleEndian(code.AsSpan(16), 256);
        int text = b.Section(".text", Text, code);
        int data = b.Section(".data", Writable, new byte[16]);
        b.Section(".bss", Zeroed, [], 40);
        b.Section(".debug_info", 0x4210_0040, new byte[8]);
        int dataSymbol = b.Symbol(".data", 3, data, Static);
        b.Symbol("second", 8, text, External, 0x20);
        b.Symbol("helper", 8, text, Static, 0x20);
        int first = b.Symbol("first@12", 0, text, External, 0x20);
        int missing = b.Symbol("missing", 0, 0, External, 0x20);
        b.Symbol("common", 400, 0, External);
        b.Symbol("@feat.00", 1, -1, Static);
        b.Relocations(text, [(24, first, 3), (16, dataSymbol, 1), (4, missing, 4)]);
        return b.Build();
    }

    private static byte[] WithUnwindTable()
    {
        CoffBuilder b = new();
        int text = b.Section(".text", Text, new byte[32]);
        int pdata = b.Section(".pdata", ReadOnly, new byte[12]);
        // Version 1 with a handler, one code (and one to make it even), then the handler.
        int xdata = b.Section(".xdata", ReadOnly, [0x09, 4, 1, 0, 4, 2, 0, 0, 0, 0, 0, 0]);
        int textSymbol = b.Symbol(".text", 0, text, Static);
        int xdataSymbol = b.Symbol(".xdata", 0, xdata, Static);
        int handler = b.Symbol("handler", 0, 0, External, 0x20);
        b.Relocations(pdata, [(0, textSymbol, 3), (4, textSymbol, 3), (8, xdataSymbol, 3)]);
        b.Relocations(xdata, [(8, handler, 3)]);
        return b.Build();
    }

    private static byte[] WithComdat(byte selection)
    {
        CoffBuilder b = new();
        int text = b.Section(".text$inline", Text | Comdat, new byte[16]);
        b.Symbol(".text$in", 0, text, Static, auxiliary: [16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 0, selection, 0, 0, 0]);
        b.Symbol("inline", 0, text, External, 0x20);
        return b.Build();
    }

    /// <summary>Writes an object for x86-64.</summary>
    private sealed class CoffBuilder
    {
        private readonly List<(string Name, uint Flags, byte[] Content, int Size)> _sections = [];
        private readonly Dictionary<int, byte[]> _relocations = [];
        private readonly MemoryStream _symbols = new();
        private readonly MemoryStream _strings = new();

        public int Section(string name, uint flags, byte[] content, int size = 0)
        {
            _sections.Add((name, flags, content, size == 0 ? content.Length : size));
            return _sections.Count;
        }

        public int Symbol(string name, uint value, int section, byte storage, ushort type = 0, byte[]? auxiliary = null)
        {
            byte[] entry = new byte[18];
            PutName(entry, name, offset => BinaryPrimitives.WriteInt32LittleEndian(entry.AsSpan(4), offset));
            BinaryPrimitives.WriteUInt32LittleEndian(entry.AsSpan(8), value);
            BinaryPrimitives.WriteInt16LittleEndian(entry.AsSpan(12), (short)section);
            BinaryPrimitives.WriteUInt16LittleEndian(entry.AsSpan(14), type);
            entry[16] = storage;
            entry[17] = (byte)(auxiliary is null ? 0 : 1);
            int index = (int)_symbols.Length / 18;
            _symbols.Write(entry);
            _symbols.Write(auxiliary ?? []);
            return index;
        }

        public void Relocations(int section, (int Offset, int Symbol, ushort Type)[] relocations)
        {
            byte[] content = new byte[relocations.Length * 10];
            for (int i = 0; i < relocations.Length; i++)
            {
                BinaryPrimitives.WriteInt32LittleEndian(content.AsSpan(i * 10), relocations[i].Offset);
                BinaryPrimitives.WriteInt32LittleEndian(content.AsSpan((i * 10) + 4), relocations[i].Symbol);
                BinaryPrimitives.WriteUInt16LittleEndian(content.AsSpan((i * 10) + 8), relocations[i].Type);
            }
            _relocations[section] = content;
        }

        public byte[] Build()
        {
            byte[] headers = new byte[20 + (40 * _sections.Count)];
            MemoryStream file = new();
            file.Write(headers);
            for (int i = 0; i < _sections.Count; i++)
            {
                (string name, uint flags, byte[] content, int size) = _sections[i];
                Span<byte> header = headers.AsSpan(20 + (40 * i), 40);
                byte[] headerName = new byte[8];
                PutName(headerName, name, offset => Encoding.ASCII.GetBytes($"/{offset}").CopyTo(headerName, 0));
                headerName.CopyTo(header);
                BinaryPrimitives.WriteInt32LittleEndian(header[16..], size);
                BinaryPrimitives.WriteInt32LittleEndian(header[20..], content.Length == 0 ? 0 : (int)file.Length);
                BinaryPrimitives.WriteUInt32LittleEndian(header[36..], flags);
                file.Write(content);
                if (_relocations.TryGetValue(i + 1, out byte[]? relocations))
                {
                    BinaryPrimitives.WriteInt32LittleEndian(header[24..], (int)file.Length);
                    BinaryPrimitives.WriteInt16LittleEndian(header[32..], (short)(relocations.Length / 10));
                    file.Write(relocations);
                }
            }
            BinaryPrimitives.WriteUInt16LittleEndian(headers, 0x8664);
            BinaryPrimitives.WriteUInt16LittleEndian(headers.AsSpan(2), (ushort)_sections.Count);
            BinaryPrimitives.WriteInt32LittleEndian(headers.AsSpan(8), (int)file.Length);
            BinaryPrimitives.WriteInt32LittleEndian(headers.AsSpan(12), (int)_symbols.Length / 18);
            file.Write(_symbols.ToArray());
            byte[] length = new byte[4];
            BinaryPrimitives.WriteInt32LittleEndian(length, (int)_strings.Length + 4);
            file.Write(length);
            file.Write(_strings.ToArray());
            byte[] bytes = file.ToArray();
            headers.CopyTo(bytes, 0);
            return bytes;
        }

        private void PutName(byte[] to, string name, Action<int> putOffset)
        {
            if (name.Length <= 8)
            {
                Encoding.ASCII.GetBytes(name).CopyTo(to, 0);
                return;
            }
            putOffset((int)_strings.Length + 4);
            _strings.Write(Encoding.ASCII.GetBytes(name + "\0"));
        }
    }
}
