using System.Buffers.Binary;
using AotLinker.Conformance;

namespace AotLinker.Tests.Conformance;

public sealed class ByteReportTests
{
    [Fact]
    public void SameBytesHaveNoReport()
    {
        Assert.Equal("", ByteReport.Compare([1, 2, 3], [1, 2, 3]));
        Assert.Equal("", ByteReport.Compare(Elf([7, 8]), Elf([7, 8])));
    }

    [Fact]
    public void FilesThatAreNoElfAreComparedByOffset()
    {
        string report = ByteReport.Compare([1, 2, 3, 4], [1, 9, 3]);
        Assert.Contains("3 bytes, expected 4; 2 differ; first at offset 0x1", report, StringComparison.Ordinal);
        Assert.Contains("not a readable ELF file", report, StringComparison.Ordinal);
    }

    [Fact]
    public void DifferenceInASectionNamesSectionAndOffset()
    {
        byte[] want = Elf([1, 2, 3, 4]);
        byte[] got = Elf([1, 2, 9, 4]);
        string report = ByteReport.Compare(want, got);
        Assert.Contains("1 differ", report, StringComparison.Ordinal);
        Assert.Contains(".text+0x2 = 0x401002", report, StringComparison.Ordinal);
        Assert.Contains("1 of 4 bytes", report, StringComparison.Ordinal);
    }

    [Fact]
    public void DifferentSizesAreShownBySection()
    {
        string report = ByteReport.Compare(Elf([1, 2, 3, 4]), Elf([1, 2, 3]));
        Assert.Contains("size 0x3 (expected 0x4)", report, StringComparison.Ordinal);
    }

    [Fact]
    public void DamagedSectionTableIsNoElf()
    {
        byte[] file = Elf([1, 2]);
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(40), 1 << 30);
        Assert.Null(ElfFile.TryRead(file));
        Assert.NotNull(ElfFile.TryRead(Elf([1, 2])));
    }

    /// <summary>A 64-bit ELF file with a null section, .text at 0x401000 and the section names.</summary>
    private static byte[] Elf(byte[] text)
    {
        ReadOnlySpan<byte> names = "\0.text\0.shstrtab\0"u8;
        int textOffset = 64;
        int namesOffset = textOffset + text.Length;
        int table = namesOffset + names.Length;
        byte[] file = new byte[table + 3 * 64];
        "\u007fELF"u8.CopyTo(file);
        file[4] = 2;
        file[5] = 1;
        BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(40), (ulong)table);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(58), 64);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(60), 3);
        BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(62), 2);
        text.CopyTo(file, textOffset);
        names.CopyTo(file.AsSpan(namesOffset));
        Section(file.AsSpan(table + 64), 1, 1, 0x401000, textOffset, text.Length);
        Section(file.AsSpan(table + 128), 7, 3, 0, namesOffset, names.Length);
        return file;
    }

    private static void Section(Span<byte> entry, uint name, uint type, ulong address, int offset, int size)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(entry, name);
        BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], type);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[16..], address);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[24..], (ulong)offset);
        BinaryPrimitives.WriteUInt64LittleEndian(entry[32..], (ulong)size);
    }
}
