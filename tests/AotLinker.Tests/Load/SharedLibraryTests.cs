using System.Buffers.Binary;
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

    [Fact]
    public void NotesSymbolsAndTargetsAreRead()
    {
        SharedLibrary library = Read(Sample());
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

    [Fact]
    public void EveryTruncationIsAnErrorThatNamesTheFile()
    {
        byte[] whole = Sample();
        for (int length = 0; length < whole.Length; length++)
        {
            Assert.Contains("lib.so", Assert.Throws<LinkException>(() => Read(whole[..length])).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void EveryDamagedByteIsAnErrorThatNamesTheFileOrHarmless()
    {
        byte[] whole = Sample();
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
    private static byte[] Sample(uint hashNote = 2, uint target = 2)
    {
        List<byte> file = [.. new byte[64]];
        List<(uint Type, ulong Address, int Offset, int Size, uint Link)> sections = [(0, 0, 0, 0, 0)];
        Add(1, 0x1000, 0, "0123456789abcdef"u8);
        Add(7, 0, 0, [.. Note(4, "id"u8), .. Note(hashNote, [9, 8, 7]), .. Note(3, "liba.so\n/b/libb.so"u8)]);
        Add(11, 0, 4, [.. new byte[24], .. Symbol(1, 1, 1, 0x1000, 16), .. Symbol(8, 2, 1, 0x1008, 4)]);
        Add(3, 0, 0, "\0type:T\0main.f\0"u8);
        byte[] relocation = new byte[24];
        BinaryPrimitives.WriteUInt64LittleEndian(relocation, 0x1008);
        BinaryPrimitives.WriteUInt64LittleEndian(relocation.AsSpan(8), ((ulong)target << 32) | Absolute);
        Add(4, 0, 3, relocation);
        int headers = file.Count;
        foreach ((uint type, ulong address, int offset, int size, uint link) in sections)
        {
            byte[] p = new byte[64];
            BinaryPrimitives.WriteUInt32LittleEndian(p.AsSpan(4), type);
            BinaryPrimitives.WriteUInt64LittleEndian(p.AsSpan(16), address);
            BinaryPrimitives.WriteInt64LittleEndian(p.AsSpan(24), offset);
            BinaryPrimitives.WriteInt64LittleEndian(p.AsSpan(32), size);
            BinaryPrimitives.WriteUInt32LittleEndian(p.AsSpan(40), link);
            file.AddRange(p);
        }
        byte[] content = [.. file];
        "\u007fELF\u0002\u0001\u0001"u8.CopyTo(content);
        BinaryPrimitives.WriteInt64LittleEndian(content.AsSpan(40), headers);
        BinaryPrimitives.WriteUInt16LittleEndian(content.AsSpan(58), 64);
        BinaryPrimitives.WriteUInt16LittleEndian(content.AsSpan(60), (ushort)sections.Count);
        return content;

        void Add(uint type, ulong address, uint link, ReadOnlySpan<byte> bytes)
        {
            sections.Add((type, address, file.Count, bytes.Length, link));
            file.AddRange(bytes);
        }
    }

    private static byte[] Note(uint type, ReadOnlySpan<byte> description)
    {
        byte[] note = new byte[16 + ((description.Length + 3) & ~3)];
        BinaryPrimitives.WriteUInt32LittleEndian(note, 4);
        BinaryPrimitives.WriteInt32LittleEndian(note.AsSpan(4), description.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(note.AsSpan(8), type);
        Encoding.ASCII.GetBytes("Go").CopyTo(note, 12);
        description.CopyTo(note.AsSpan(16));
        return note;
    }

    private static byte[] Symbol(uint name, byte type, ushort section, ulong value, ulong size)
    {
        byte[] symbol = new byte[24];
        BinaryPrimitives.WriteUInt32LittleEndian(symbol, name);
        symbol[4] = (byte)(0x10 | type);
        BinaryPrimitives.WriteUInt16LittleEndian(symbol.AsSpan(6), section);
        BinaryPrimitives.WriteUInt64LittleEndian(symbol.AsSpan(8), value);
        BinaryPrimitives.WriteUInt64LittleEndian(symbol.AsSpan(16), size);
        return symbol;
    }
}
