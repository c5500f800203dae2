using System.Text;
using AotLinker.Formats.Elf;
using AotLinker.Load;
using Xunit;

namespace AotLinker.Tests.Load;

/// <summary>What is read of Go shared libraries, complete ones and damaged ones.</summary>
public sealed class SharedLibraryTests : IDisposable
{
    private const uint Absolute = 1;
    private readonly string _folder = Directory.CreateTempSubdirectory().FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public void NotesSymbolsAndTargetsAreRead(bool is64, bool isBigEndian)
    {
        SharedLibrary library = Read(Sample(is64: is64, isBigEndian: isBigEndian));
        Assert.Equal(is64 ? 8 : 4, library.AddressSize);
        Assert.Equal("lib.so", library.Name);
        Assert.Equal([9, 8, 7], library.AbiHash);
        Assert.Equal(["liba.so", "/b/libb.so"], library.Dependencies);
        Assert.Equal(["type:T", "main.f"], library.Symbols.Select(s => s.Name));
        Assert.Equal("0123456789abcdef"u8.ToArray(), library.ContentOf(library.Symbols[0]).ToArray());
        Assert.Equal("main.f", library.TargetAt(0x1008));
        Assert.Null(library.TargetAt(0x1000));
        Assert.Equal("89"u8.ToArray(), library.BytesAt(0x1008, 2).ToArray());
        Assert.True(library.BytesAt(0x1008, 9).IsEmpty);
        Assert.True(library.BytesAt(0x2000, 1).IsEmpty);
    }

    [Fact]
    public void ADependencyBesideTheLibraryIsAPath()
    {
        File.WriteAllText(Path.Combine(_folder, "liba.so"), "");
        Assert.Equal(_folder + "/liba.so", Read(Sample()).Dependencies[0]);
    }

    [Fact]
    public void ALibraryWithoutNotesHasNoHash()
    {
        SharedLibrary library = Read(Sample(hashNote: 5));
        Assert.Empty(library.AbiHash);
    }

    [Fact]
    public void AFileThatIsMissingIsNamed() =>
        Assert.Contains(_folder + "/none.so", Assert.Throws<LinkException>(() => SharedLibrary.Read(_folder + "/none.so", Absolute)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void EveryTruncationIsAnErrorThatNamesTheFile(bool is64)
    {
        byte[] whole = Sample(is64: is64);
        for (int length = 0; length < whole.Length; length++)
        {
            Assert.Contains("lib.so", Assert.Throws<LinkException>(() => Read(whole[..length])).Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void EveryDamagedByteIsAnErrorThatNamesTheFileOrHarmless(bool is64)
    {
        byte[] whole = Sample(is64: is64);
        foreach (byte damage in (byte[])[0xff, 0x80, 0x01])
        {
            for (int i = 0; i < whole.Length; i++)
            {
                byte[] damaged = [.. whole];
                damaged[i] ^= damage;
                try
                {
                    SharedLibrary library = Read(damaged);
                    foreach (SharedLibrary.DynamicSymbol s in library.Symbols)
                    {
                        _ = library.ContentOf(s);
                        _ = library.BytesAt(s.Value, (int)Math.Min(s.Size, 100));
                    }
                }
                catch (LinkException e)
                {
                    Assert.Contains("lib.so", e.Message, StringComparison.Ordinal);
                }
            }
        }
    }

    [Theory]
    [InlineData(3, "a relocation refers to symbol 3 of 3")]
    [InlineData(0, "a relocation refers to symbol 0 of 3")]
    public void ARelocationOfNoSymbolIsAnError(uint symbol, string text) =>
        Assert.Contains(text, Assert.Throws<LinkException>(() => Read(Sample(target: symbol))).Message, StringComparison.Ordinal);

    [Fact]
    public void TheHashOfPackagesDependsOnTheirOrder()
    {
        Package[] packages =
        [
            new() { Path = "a", File = "", ObjectRef = "", SourceRef = "", Fingerprint = 1 },
            new() { Path = "b", File = "", ObjectRef = "", SourceRef = "", Fingerprint = 2 },
        ];
        byte[] expected = System.Security.Cryptography.SHA256.HashData([1, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
        Assert.Equal(expected, ElfFormat.AbiHash(packages));
        Assert.NotEqual(expected, ElfFormat.AbiHash([packages[1], packages[0]]));
    }

    private SharedLibrary Read(byte[] content)
    {
        string path = _folder + "/lib.so";
        File.Delete(path);
        File.WriteAllBytes(path, content);
        return SharedLibrary.Read(path, Absolute);
    }

    // Sections: none, data at 0x1000, notes, dynamic symbols, their names, relocations.
    private static byte[] Sample(uint hashNote = 2, uint target = 2, bool is64 = true, bool isBigEndian = false)
    {
        ElfEncoding encoding = new(is64, isBigEndian);
        List<byte> file = [.. new byte[encoding.HeaderSize]];
        List<(uint Type, uint Address, int Offset, int Size, uint Link)> sections = [(0, 0, 0, 0, 0)];
        Add(1, 0x1000, 0, "0123456789abcdef"u8);
        Add(7, 0, 0, [.. Note(4, "id"u8), .. Note(hashNote, [9, 8, 7]), .. Note(3, "liba.so\n/b/libb.so"u8)]);
        Add(11, 0, 4, [.. new byte[encoding.SymbolSize], .. Symbol(1, 1, 0x1000, 16), .. Symbol(8, 2, 0x1008, 4)]);
        Add(3, 0, 0, "\0type:T\0main.f\0"u8);
        byte[] relocation = new byte[encoding.RelaSize];
        encoding.PutRelocation(relocation, 0x1008, target, Absolute, 0, hasAddend: true);
        Add(4, 0, 3, relocation);
        int headers = file.Count;
        foreach ((uint type, uint address, int offset, int size, uint link) in sections)
        {
            byte[] header = new byte[encoding.SectionSize];
            ElfWriter w = new(header, encoding);
            w.U32(0);
            w.U32(type);
            w.Address(0);
            w.Address(address);
            w.Address((ulong)offset);
            w.Address((ulong)size);
            w.U32(link);
            file.AddRange(header);
        }
        byte[] content = [.. file];
        byte[] start = [0x7f, .. "ELF"u8, (byte)(is64 ? 2 : 1), (byte)(isBigEndian ? 2 : 1), 1];
        start.CopyTo(content, 0);
        if (is64)
            encoding.Put64(content.AsSpan(40), (ulong)headers);
        else
            encoding.Put32(content.AsSpan(32), (uint)headers);
        encoding.Put16(content.AsSpan(is64 ? 58 : 46), (ushort)encoding.SectionSize);
        encoding.Put16(content.AsSpan(is64 ? 60 : 48), (ushort)sections.Count);
        return content;

        void Add(uint type, uint address, uint link, ReadOnlySpan<byte> bytes)
        {
            sections.Add((type, address, file.Count, bytes.Length, link));
            file.AddRange(bytes);
        }

        byte[] Note(uint type, ReadOnlySpan<byte> description)
        {
            byte[] note = new byte[16 + ((description.Length + 3) & ~3)];
            encoding.Put32(note, 4);
            encoding.Put32(note.AsSpan(4), (uint)description.Length);
            encoding.Put32(note.AsSpan(8), type);
            Encoding.ASCII.GetBytes("Go").CopyTo(note, 12);
            description.CopyTo(note.AsSpan(16));
            return note;
        }

        byte[] Symbol(uint name, byte type, ulong value, ulong size)
        {
            byte[] symbol = new byte[encoding.SymbolSize];
            encoding.PutSymbol(symbol, name, (byte)(0x10 | type), 0, 1, value, size);
            return symbol;
        }
    }
}
