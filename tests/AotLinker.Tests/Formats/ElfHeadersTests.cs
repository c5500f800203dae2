using System.Buffers.Binary;
using AotLinker.Formats.Elf;
using AotLinker.Releases;

namespace AotLinker.Tests.Formats;

public class ElfHeadersTests
{
    private static readonly ElfEncoding Little64 = new(is64: true, isBigEndian: false);
    private static readonly ElfEncoding Big32 = new(is64: false, isBigEndian: true);

    [Fact]
    public void LoadedSectionsComeFirstByAddressThenSizeThenAge()
    {
        ElfHeaders headers = new(Little64, ".rela");
        Add(headers, ".debug", 0, 9, allocated: false);
        Add(headers, ".data", 0x3000, 8);
        Add(headers, ".empty", 0x2000, 0);
        Add(headers, ".rodata", 0x2000, 8);
        Add(headers, ".twin", 0x2000, 0);
        Add(headers, ".text", 0x1000, 8);
        Add(headers, ".symtab", 0, 1, allocated: false);
        headers.Order();
        Assert.Equal(
            ["", ".text", ".empty", ".twin", ".rodata", ".data", ".debug", ".symtab"], headers.Sections.Select(s => s.Name));
        Assert.Equal(Enumerable.Range(0, 8), headers.Sections.Select(s => s.Number));
    }

    [Fact]
    public void NamesOfRelocatedSectionsAreTailsOfTheirRelocations()
    {
        ElfHeaders headers = new(Little64, ".rela");
        foreach (string name in (string[])[".text", ".plt", ".rela.plt", ".rela"])
            headers.Section(name);
        headers.AddSection(".text");
        headers.Order();
        byte[] names = headers.BuildNames();
        Assert.Equal("\0.rela.plt\0.rela\0.text\0"u8, names);
        Assert.Equal([0u, 17, 6, 1, 11, 17], headers.Sections.Select(s => s.NameOffset));
    }

    [Fact]
    public void NamesMayBeSettledBeforehand()
    {
        ElfHeaders headers = new(Little64, ".rela");
        foreach (string name in (string[])[".text", ".data", ".shstrtab"])
            headers.Section(name);
        headers.NumberAsMade();
        byte[] names = headers.UseNames(["", ".data", ".odd", ".text", ".shstrtab", ".data"]);
        Assert.Equal("\0.data\0.odd\0.text\0.shstrtab\0.data\0"u8, names);
        Assert.Equal([0u, 12, 1, 18], headers.Sections.Select(s => s.NameOffset));
        Assert.Equal(Enumerable.Range(0, 4), headers.Sections.Select(s => s.Number));

        headers.Section(".unheard");
        LinkException e = Assert.Throws<LinkException>(() => headers.UseNames(["", ".data", ".text", ".shstrtab"]));
        Assert.Equal("cannot find elf name .unheard", e.Message);
    }

    [Fact]
    public void LoadedSegmentsReachDownToTheirAlignment()
    {
        ElfHeaders headers = new(Little64, ".rela");
        foreach (ElfSegmentType type in (ElfSegmentType[])[ElfSegmentType.Load, ElfSegmentType.GnuRelRo])
        {
            ElfSegment segment = headers.AddSegment(type, ElfSegmentFlags.Read);
            segment.Address = 0x401234;
            segment.Offset = 0x1234;
            segment.FileSize = 0x100;
            segment.MemorySize = 0x200;
            segment.Align = 0x1000;
        }
        byte[] file = Write(headers);
        Assert.Equal([0x1000u, 0x401000, 0x401000, 0x334, 0x434, 0x1000], Words(file, 64 + 8, 6));
        Assert.Equal([0x1234u, 0x401234, 0x401234, 0x100, 0x200, 0x1000], Words(file, 64 + 56 + 8, 6));
    }

    [Fact]
    public void A32BitBigEndianHeaderHasItsOwnLayout()
    {
        ElfHeaders headers = new(Big32, ".rel");
        ElfSectionHeader text = headers.Section(".text");
        text.Type = ElfSectionType.ProgBits;
        text.Flags = ElfSectionFlags.Alloc | ElfSectionFlags.Exec;
        text.Address = 0x11000;
        text.Offset = 0x1000;
        text.Size = 0x20;
        text.Align = 16;
        ElfSegment load = headers.AddSegment(ElfSegmentType.Load, ElfSegmentFlags.Read | ElfSegmentFlags.Exec);
        load.Address = 0x10000;
        load.FileSize = 0x1020;
        load.MemorySize = 0x1020;
        load.Align = 0x10000;
        byte[] file = Write(headers);
        string hex = Convert.ToHexString(file).ToLowerInvariant();
        Assert.StartsWith("7f454c46010201030000000000000000" + "00020008000000010001100000000034000000545000100400340020000100280003", hex, StringComparison.Ordinal);
        // p_flags stands behind the sizes in 32-bit files.
        Assert.Equal("0000000100000000000100000001000000001020000010200000000500010000", hex.Substring(52 * 2, 64));
        Assert.Equal("00000001000000010000000600011000000010000000002000000000000000000000001000000000", hex.Substring((52 + 32 + 40) * 2, 80));
        Assert.Equal(52 + 32 + (3 * 40), file.Length);
    }

    [Fact]
    public void NotesArePaddedButSayTheirLength()
    {
        ElfNoteSection note = new(".note", new ElfNote([.. "NetBSD\0"u8], 1, [1, 2, 3, 4, 5]));
        Assert.Equal(12 + 8 + 8, note.Size);
        Assert.Equal("0000000700000005000000014E657442534400000102030405000000", Convert.ToHexString(note.Build(Big32)));
        Assert.Equal("040000001400000003000000474E5500", Convert.ToHexString(ElfNoteSection.GnuBuildId(new byte[20]).Build(Little64)[..16]));
        Assert.Equal("040000000300000004000000476F000061626300", Convert.ToHexString(ElfNoteSection.GoBuildId([.. "abc"u8]).Build(Little64)));
    }

    [Theory]
    [InlineData("", 0u)]
    [InlineData("exit", 0x6cf04u)]
    [InlineData("printf", 0x77905a6u)]
    [InlineData("syscall", 0xb09985cu)]
    public void DynamicNamesHashAsTheAbiSays(string name, uint hash) =>
        Assert.Equal(hash, ElfFormat.HashName(System.Text.Encoding.ASCII.GetBytes(name)));

    [Fact]
    public void APortThatDoesNotExistIsAnError()
    {
        Target target = ElfSample.Target("windows", HeadType.Windows, BuildMode.Exe);
        LinkException error = Assert.Throws<LinkException>(() => new ElfFormat(target, Release.Newest, new ElfOptions()));
        Assert.Equal("unknown -H option: windows", error.Message);
    }

    private static void Add(ElfHeaders headers, string name, ulong address, ulong size, bool allocated = true)
    {
        ElfSectionHeader section = headers.Section(name);
        section.Address = address;
        section.Size = size;
        section.Flags = allocated ? ElfSectionFlags.Alloc : ElfSectionFlags.None;
    }

    private static byte[] Write(ElfHeaders headers)
    {
        headers.Section(".shstrtab");
        headers.Order();
        headers.BuildNames();
        byte[] file = new byte[headers.Size];
        headers.Write(file, osAbi: 3, type: 2, ElfMachine.Mips, flags: 0x50001004, entry: 0x11000);
        return file;
    }

    private static IEnumerable<uint> Words(byte[] file, int at, int count) =>
        Enumerable.Range(0, count).Select(i => (uint)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(at + (8 * i))));
}
