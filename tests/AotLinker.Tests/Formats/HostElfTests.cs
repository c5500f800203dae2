using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using AotLinker.Cli;
using AotLinker.Formats.Elf;
using AotLinker.Load;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Tests.Formats;

/// <summary>Host objects made byte by byte, as gcc would make them.</summary>
public class HostElfTests
{
    private const ulong Alloc = 2;
    private const ulong Write = 1;
    private const ulong Exec = 4;

    private readonly LinkContext _ctx = Context();

    [Fact]
    public void SectionsHoldTheirSymbolsByAddress()
    {
        List<SymbolId> text = Load(Sample());
        SymbolTable symbols = _ctx.Symbols;
        // "second" and "helper" share an address: the one entered last is first.
        Assert.Equal(["main(.text)", "first", "helper", "second"], text.Select(symbols.NameText));
        SymbolId section = text[0];
        Assert.Equal(SymbolKind.Text, symbols.Kind(section));
        Assert.Equal(24, symbols.Size(section));
        Assert.Equal(16, symbols.Align(section));
        Assert.Equal(Enumerable.Range(0, 24).Select(i => (byte)i), symbols.Data(section).ToArray());
        foreach (SymbolId part in text.Skip(1))
        {
            Assert.Equal(section, symbols.Outer(part));
            Assert.True(symbols.IsInterior(part));
            Assert.Empty(symbols.Data(part).ToArray());
        }
        Assert.Equal([0, 8, 8], text.Skip(1).Select(symbols.Value));
        Assert.Contains(text[2], symbols.Hidden);
        Assert.DoesNotContain(text[3], symbols.Hidden);

        SymbolId bss = symbols.Lookup("main(.bss)"u8, SymbolTable.StaticVersion);
        Assert.Equal((SymbolKind.NoPtrBss, 40L, 0), (symbols.Kind(bss), symbols.Size(bss), symbols.Data(bss).Length));
        SymbolId constants = symbols.Lookup("main(.rodata)"u8, SymbolTable.StaticVersion);
        Assert.Equal(SymbolKind.RoData, symbols.Kind(constants));
        SymbolId missing = symbols.Lookup("missing"u8, 0);
        Assert.Equal(SymbolKind.XRef, symbols.Kind(missing));
        SymbolId common = symbols.Lookup("common"u8, 0);
        Assert.Equal((SymbolKind.NoPtrBss, 400L), (symbols.Kind(common), symbols.Size(common)));
    }

    [Fact]
    public void RelocationsKeepTheHostsNumbersUntilTheyAreTreated()
    {
        SymbolId section = Load(Sample())[0];
        RelocList relocs = _ctx.Symbols.Relocs(section);
        Assert.Equal(3, relocs.Count);
        // Sorted by offset; R_X86_64_NONE is left out.
        Assert.Equal([2u, 4, 1], Enumerable.Range(0, 3).Select(i => _ctx.Symbols.Relocs(section).HostType(i)));
        Assert.Equal(RelocKind.Host, relocs.Kind(0));
        Assert.Equal((4, 4, -4L), (relocs[0].Offset, relocs[0].Size, relocs[0].Addend));
        Assert.Equal("main(.rodata)", _ctx.Symbols.NameText(relocs.Target(0)));
        Assert.Equal((10, 4, -4L), (relocs[1].Offset, relocs[1].Size, relocs[1].Addend));
        Assert.Equal("missing", _ctx.Symbols.NameText(relocs.Target(1)));
        Assert.Equal((16, 8, 1L << 40), (relocs[2].Offset, relocs[2].Size, relocs[2].Addend));
    }

    [Fact]
    public void SymbolsOfGoGoFirst()
    {
        SymbolId exported = _ctx.Symbols.Update("missing"u8, 1).SetKind(SymbolKind.Text).Symbol;
        _ctx.Symbols.CgoExportNames["missing"] = exported;
        SymbolId section = Load(Sample())[0];
        Assert.Equal(exported, _ctx.Symbols.Relocs(section).Target(1));
    }

    [Fact]
    public void TwoDefinitionsAreAnErrorUnlessOneIsWeak()
    {
        Load(Sample());
        LinkException error = Assert.Throws<LinkException>(() => Load(Sample(), SymbolTable.StaticVersion + 1));
        Assert.Equal("loadelf: a.o: duplicate symbol reference: second in both main(.text) and main(.text)", error.Message);

        SymbolId first = _ctx.Symbols.Lookup("first"u8, 0);
        SymbolId before = _ctx.Symbols.Outer(first);
        ObjectBuilder weak = new();
        int text = weak.Section(".text", 1, Alloc | Exec, new byte[8]);
        weak.Symbol("first", bind: 2, type: 2, text, 0, 8);
        Assert.Equal(["main(.text)"], Load(weak.Build(), SymbolTable.StaticVersion + 2).Select(_ctx.Symbols.NameText));
        Assert.Equal(before, _ctx.Symbols.Outer(first));
    }

    [Fact]
    public void SectionsOfOneNameAreNumbered()
    {
        ObjectBuilder b = new();
        b.Section(".data", 1, Alloc | Write, new byte[8]);
        b.Section(".data", 1, Alloc | Write, new byte[16]);
        Load(b.Build());
        Assert.Equal(8, _ctx.Symbols.Size(_ctx.Symbols.Lookup("main(.data)"u8, SymbolTable.StaticVersion)));
        Assert.Equal(16, _ctx.Symbols.Size(_ctx.Symbols.Lookup("main(.data1)"u8, SymbolTable.StaticVersion)));
    }

    [Theory]
    [InlineData("elf but not elf relocatable object", 16, 2)]
    [InlineData("elf object but not amd64", 18, 183)]
    [InlineData("elf object but not amd64", 4, 1)]
    [InlineData("malformed elf file, unknown header", 5, 3)]
    [InlineData("malformed elf file, bad header", 1, 0)]
    [InlineData("malformed elf version: got 1, want 2", 20, 2)]
    public void WhatIsNotForUsIsRefused(string message, int at, byte value)
    {
        byte[] file = Sample();
        file[at] = value;
        LinkException error = Assert.Throws<LinkException>(() => Load(file));
        Assert.Equal("loadelf: a.o: " + message, error.Message);
        Assert.Equal(MessageForm.Bare, error.Form);
    }

    [Fact]
    public void ARelocationWeDoNotKnowIsNamed()
    {
        ObjectBuilder b = new();
        int text = b.Section(".text", 1, Alloc | Exec, new byte[8]);
        b.Symbol("f", bind: 1, type: 2, text, 0, 8);
        b.Relocations(text, [(0, 11, 1, 0)]);
        LinkException error = Assert.Throws<LinkException>(() => Load(b.Build()));
        Assert.Equal("a.o: unknown relocation type 11; compiled without -fpic?", error.Message);
    }

    [Fact]
    public void SymbolsOfSectionsThatAreNotLoadedAreRefusedWithTheReleasesWords()
    {
        ObjectBuilder b = new();
        int debug = b.Section(".debug_info", 1, 0, new byte[8]);
        b.Symbol("", bind: 0, type: 0, debug, 0, 0);
        b.Symbol(".LASF3", bind: 0, type: 0, debug, 4, 0);
        Load(b.Build());
        b.Symbol("odd", bind: 1, type: 1, debug, 4, 0);
        LinkException error = Assert.Throws<LinkException>(() => Load(b.Build()));
        Assert.Matches("^loadelf: a.o: \\d+: sym#3 \\(\"odd\"\\): unrecognized symbol in section 1 \\(\"\\.debug_info\"\\) \\(type 1\\)$", error.Message);
    }

    [Fact]
    public void DamageIsAnErrorAndNeverMore()
    {
        byte[] sound = Sample();
        for (int length = 0; length < sound.Length; length += 3)
            LoadDamaged(sound[..length]);
        Random random = new(1);
        int refused = 0;
        for (int round = 0; round < 600; round++)
        {
            byte[] damaged = [.. sound];
            for (int i = 0; i < 3; i++)
                damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            refused += LoadDamaged(damaged) ? 0 : 1;
        }
        Assert.InRange(refused, 20, 599);
    }

    private static bool LoadDamaged(byte[] file)
    {
        try
        {
            new HostElfTests().Load(file);
            return true;
        }
        catch (LinkException)
        {
            return false;
        }
    }

    private static LinkContext Context()
    {
        Target target = ElfSample.Target("linux", HeadType.Linux, BuildMode.Exe);
        return new LinkContext
        {
            Options = null!,
            Target = target,
            Release = Release.Newest,
            Workers = new Workers(1),
            Symbols = new SymbolTable(Release.Newest, target),
            Settings = new LinkSettings(),
            Format = new ElfFormat(target, Release.Newest, new ElfOptions()),
        };
    }

    private unsafe List<SymbolId> Load(byte[] file, int version = SymbolTable.StaticVersion)
    {
        string path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        File.WriteAllBytes(path, file);
        try
        {
            InputFile input = InputFile.Open(path);
            ParsedMember member = new() { Kind = MemberKind.HostElf, DisplayName = "a.o", Offset = 0, Length = input.Length };
            Package package = new() { Path = "main", File = path, ObjectRef = "", SourceRef = "" };
            return HostElf.Load(_ctx, new HostObject(MemberKind.HostElf, "main", package, input, member), version);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static byte[] Sample()
    {
        ObjectBuilder b = new();
        int text = b.Section(".text", 1, Alloc | Exec, [.. Enumerable.Range(0, 24).Select(i => (byte)i)], align: 16);
        int constants = b.Section(".rodata", 1, Alloc, new byte[32], align: 32);
        int bss = b.Section(".bss", 8, Alloc | Write, [], size: 40);
        b.Symbol("host.c", bind: 0, type: 4, 0xfff1, 0, 0);
        int constant = b.Symbol("", bind: 0, type: 3, constants, 0, 0);
        b.Symbol("second", bind: 1, type: 2, text, 8, 8);
        b.Symbol("helper", bind: 0, type: 2, text, 8, 16);
        b.Symbol("first", bind: 1, type: 2, text, 0, 8);
        b.Symbol("counter", bind: 0, type: 1, bss, 8, 8);
        int missing = b.Symbol("missing", bind: 1, type: 0, 0, 0, 0);
        b.Symbol("common", bind: 1, type: 1, 0xfff2, 8, 400);
        b.Relocations(text, [(16, 1, constant, 1L << 40), (10, 4, missing, -4), (20, 0, 0, 0), (4, 2, constant, -4)]);
        return b.Build();
    }

    /// <summary>Writes a 64-bit little-endian relocatable object.</summary>
    private sealed class ObjectBuilder
    {
        private readonly List<(string Name, uint Type, ulong Flags, byte[] Content, ulong Size, uint Link, uint Info, ulong Align)> _sections = [];
        private readonly MemoryStream _symbols = new();
        private readonly MemoryStream _names = new();

        public ObjectBuilder()
        {
            _sections.Add(("", 0, 0, [], 0, 0, 0, 0));
            _symbols.Write(new byte[24]);
            _names.WriteByte(0);
        }

        public int Section(string name, uint type, ulong flags, byte[] content, ulong size = 0, ulong align = 8, uint link = 0, uint info = 0)
        {
            _sections.Add((name, type, flags, content, size == 0 ? (ulong)content.Length : size, link, info, align));
            return _sections.Count - 1;
        }

        public int Symbol(string name, int bind, int type, int section, ulong value, ulong size)
        {
            byte[] entry = new byte[24];
            BinaryPrimitives.WriteUInt32LittleEndian(entry, (uint)_names.Length);
            entry[4] = (byte)((bind << 4) | type);
            BinaryPrimitives.WriteUInt16LittleEndian(entry.AsSpan(6), (ushort)section);
            BinaryPrimitives.WriteUInt64LittleEndian(entry.AsSpan(8), value);
            BinaryPrimitives.WriteUInt64LittleEndian(entry.AsSpan(16), size);
            _names.Write(Encoding.UTF8.GetBytes(name + "\0"));
            _symbols.Write(entry);
            return (int)(_symbols.Length / 24) - 1;
        }

        public void Relocations(int section, (ulong Offset, uint Type, int Symbol, long Addend)[] relocations)
        {
            byte[] content = new byte[relocations.Length * 24];
            for (int i = 0; i < relocations.Length; i++)
            {
                BinaryPrimitives.WriteUInt64LittleEndian(content.AsSpan(i * 24), relocations[i].Offset);
                BinaryPrimitives.WriteUInt64LittleEndian(content.AsSpan((i * 24) + 8), ((ulong)relocations[i].Symbol << 32) | relocations[i].Type);
                BinaryPrimitives.WriteInt64LittleEndian(content.AsSpan((i * 24) + 16), relocations[i].Addend);
            }
            Section(".rela" + _sections[section].Name, 4, 0, content, info: (uint)section);
        }

        public byte[] Build()
        {
            List<(string Name, uint Type, ulong Flags, byte[] Content, ulong Size, uint Link, uint Info, ulong Align)> all =
            [
                .. _sections,
                (".symtab", 2, 0, _symbols.ToArray(), (ulong)_symbols.Length, (uint)_sections.Count + 1, 1, 8),
                (".strtab", 3, 0, _names.ToArray(), (ulong)_names.Length, 0, 0, 1),
            ];
            byte[] names = Encoding.UTF8.GetBytes(string.Concat(all.Select(s => s.Name + "\0")) + ".shstrtab\0");
            all.Add((".shstrtab", 3, 0, names, (ulong)names.Length, 0, 0, 1));

            MemoryStream file = new();
            file.Write(new byte[64]);
            List<ulong> offsets = [];
            foreach (var section in all)
            {
                offsets.Add((ulong)file.Length);
                file.Write(section.Content);
            }
            ulong table = (ulong)file.Length;
            uint name = 0;
            for (int i = 0; i < all.Count; i++)
            {
                var s = all[i];
                ulong[] words = [((ulong)s.Type << 32) | name, s.Flags, 0, offsets[i], s.Size, ((ulong)s.Info << 32) | s.Link, s.Align, 0];
                file.Write(MemoryMarshal.AsBytes<ulong>(words));
                name += (uint)Encoding.UTF8.GetByteCount(s.Name) + 1;
            }
            byte[] bytes = file.ToArray();
            "\u007fELF\u0002\u0001\u0001"u8.CopyTo(bytes);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(16), 1);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(18), 62);
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(20), 1);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(40), table);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(58), 64);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(60), (ushort)all.Count);
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(62), (ushort)(all.Count - 1));
            return bytes;
        }
    }
}
