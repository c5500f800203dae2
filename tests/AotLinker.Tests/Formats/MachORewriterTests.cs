using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using AotLinker.Compression;
using AotLinker.Formats.MachO;

namespace AotLinker.Tests.Formats;

/// <summary>What is done to programs that another linker has made: small files made here, whole and damaged.</summary>
public sealed class MachORewriterTests : IDisposable
{
    private const int LinkEdit = 0x2000;
    private const int Round = 0x1000;

    private readonly string _folder = Directory.CreateTempSubdirectory("aotlink-macho-").FullName;
    private readonly Workers _workers = new(2);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void DebugInformationGoesInFrontOfTheLastSegment(bool compressed)
    {
        byte[] debug = [.. Enumerable.Range(0, 5000).Select(i => (byte)(i / 100))];
        byte[] small = [1, 2, 3];
        byte[] program = Program();
        byte[] combined = Combine(program, Dwarf(("__debug_info", debug), ("__debug_abbrev", small)), compressed, [9, 8]);
        MachOFile file = new(combined);

        MachOFile.Segment dwarf = file.SegmentNamed("__DWARF");
        Assert.Equal(LinkEdit, dwarf.FileOffset);
        Assert.Equal(0u, dwarf.Address);
        long moved = file.SegmentNamed("__LINKEDIT").FileOffset;
        Assert.Equal((LinkEdit + dwarf.FileSize + Round - 1) / Round * Round, moved);
        Assert.Equal(program[LinkEdit..], file.Bytes(moved, program.Length - LinkEdit).ToArray());
        Assert.Equal(moved + 16, file.U32(file.Find(MachOFile.SymbolTable)));
        Assert.Equal((byte[])[9, 8, 0, 0], file.Bytes(file.Find(MachOFile.Uuid), 4).ToArray());
        byte[] content = file.Bytes(dwarf.FileOffset, dwarf.FileSize).ToArray();
        if (compressed)
        {
            Assert.Equal("ZLIB", Encoding.ASCII.GetString(content, 0, 4));
            Assert.Equal(debug.Length, BinaryPrimitives.ReadInt64BigEndian(content.AsSpan(4)));
            using ZLibStream reader = new(new MemoryStream(content, 12, content.Length - 12 - small.Length), CompressionMode.Decompress);
            using MemoryStream plain = new();
            reader.CopyTo(plain);
            Assert.Equal(debug, plain.ToArray());
            Assert.Equal(small, content[^small.Length..]);
            Assert.Contains("__zdebug_info", Encoding.Latin1.GetString(combined, 0, LinkEdit), StringComparison.Ordinal);
            Assert.DoesNotContain("__zdebug_abbrev", Encoding.Latin1.GetString(combined, 0, LinkEdit), StringComparison.Ordinal);
        }
        else
        {
            Assert.Equal([.. debug, .. small], content);
        }
    }

    [Fact]
    public void WhatIsMissingIsTold()
    {
        byte[] dwarf = Dwarf(("__debug_info", [1]));
        Assert.Equal("missing __LINKEDIT segment", Fails(Program(last: "__OTHER"), dwarf));
        Assert.Equal("missing __text section", Fails(Program(section: "__other"), dwarf));
        Assert.Equal("missing __DWARF segment", Fails(Program(), Program()));
        Assert.StartsWith("no room to add dwarf info. Need at least 152 padding bytes", Fails(Program(text: 0x180), dwarf), StringComparison.Ordinal);
        Assert.Equal("unknown load command 0x99 (153)", Fails(Program(more: [0x99, 0, 0, 0, 8, 0, 0, 0]), dwarf));
    }

    [Fact]
    public void DamagedFilesAreErrorsThatNameThem()
    {
        byte[] program = Program();
        byte[] dwarf = Dwarf(("__debug_info", new byte[100]));
        Assert.Contains("exe: not a 64-bit Mach-O file", Fails([.. new byte[100]], dwarf), StringComparison.Ordinal);
        Assert.Contains("exe: load commands", Fails(program[..50], dwarf), StringComparison.Ordinal);
        Assert.Contains("exe: __LINKEDIT lies behind the end", Fails(program[..0x1800], dwarf), StringComparison.Ordinal);
        Assert.Contains("dwarf: __debug_info", Fails(program, dwarf[..^50]), StringComparison.Ordinal);
        // Whatever byte of the headers is wrong, there is a file or an error, and no other end.
        Random random = new(1);
        for (int i = 0; i < 2000; i++)
        {
            byte[] damagedProgram = [.. program];
            byte[] damagedDwarf = [.. dwarf];
            byte[] damaged = i % 2 == 0 ? damagedProgram : damagedDwarf;
            damaged[random.Next(4, 0x1c0)] = (byte)random.Next(256);
            _ = TryCombine(damagedProgram, damagedDwarf, i % 4 < 2, []);
        }
    }

    [Theory]
    [InlineData(0x40)]
    [InlineData(0x400)]
    public void ASignatureIsMadeAnew(int size)
    {
        byte[] program = Program(signature: size);
        string path = Write("signed", program);
        MachORewriter.Sign(path, isMain: true, _workers);
        byte[] bytes = File.ReadAllBytes(path);
        MachOFile file = new(bytes);
        int command = file.Find(MachOFile.CodeSignature);
        long start = file.U32(command);
        Assert.Equal(CodeSignature.Size(start), file.U32(command + 4));
        Assert.Equal(bytes.Length, start + file.U32(command + 4));
        MachOFile.Segment last = file.SegmentNamed("__LINKEDIT");
        Assert.Equal(bytes.Length, last.FileOffset + last.FileSize);
        long directory = start + file.Big32(start + 16);
        long hashes = directory + file.Big32(directory + 16);
        Assert.Equal(SHA256.HashData(bytes.AsSpan(0, 4096)), file.Bytes(hashes, 32).ToArray());
        Assert.Equal(1u, file.Big32(directory + 84));
        MachORewriter.Sign(path, isMain: false, _workers);
        Assert.Equal(0u, new MachOFile(File.ReadAllBytes(path)).Big32(directory + 84));
    }

    [Fact]
    public void OnlyWhatIsSignedIsSigned()
    {
        byte[] program = Program();
        string path = Write("unsigned", program);
        MachORewriter.Sign(path, isMain: true, _workers);
        Assert.Equal(program, File.ReadAllBytes(path));
        path = Write("more", [.. Program(signature: 0x40), 1]);
        Assert.Equal("unexpected content after code signature", Assert.Throws<MachOException>(() => MachORewriter.Sign(path, true, _workers)).Message);
    }

    [Fact]
    public void AnotherUuidIsAllThatChanges()
    {
        byte[] program = Program();
        using MachOImage image = MachOImage.Open(Write("exe", program));
        string copy = Path.Combine(_folder, "copy");
        using (FileStream to = File.Create(copy))
            MachORewriter.CopyWithUuid(image, to, [.. Enumerable.Range(1, 20).Select(i => (byte)i)]);
        byte[] bytes = File.ReadAllBytes(copy);
        int at = new MachOFile(bytes).Find(MachOFile.Uuid);
        Assert.Equal([.. Enumerable.Range(1, 16).Select(i => (byte)i)], bytes[at..(at + 16)]);
        program.AsSpan(at, 16).CopyTo(bytes.AsSpan(at));
        Assert.Equal(program, bytes);
    }

    private string Fails(byte[] program, byte[] dwarf) => TryCombine(program, dwarf, true, []) ?? "";

    // The message of the error; null for none.
    private string? TryCombine(byte[] program, byte[] dwarf, bool compressed, byte[] uuid)
    {
        try
        {
            _ = Combine(program, dwarf, compressed, uuid);
            return null;
        }
        catch (MachOException e)
        {
            return e.Message;
        }
    }

    private byte[] Combine(byte[] program, byte[] dwarf, bool compressed, byte[] uuid)
    {
        string copy = Path.Combine(_folder, "combined");
        using (MachOImage image = MachOImage.Open(Write("exe", program)))
        using (FileStream to = File.Create(copy))
        {
            MachOCombineOptions options = new(Round, compressed ? DeflateFamily.Go127 : null, uuid);
            MachODwarfCombiner.Combine(image, Write("dwarf", dwarf), to, options, _workers);
        }
        return File.ReadAllBytes(copy);
    }

    private string Write(string name, byte[] bytes)
    {
        string path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static byte[] Program(
        string last = "__LINKEDIT", string section = "__text", uint text = 0x1000, byte[]? more = null, int signature = 0)
    {
        const int LinkEditSize = 0x120;
        List<byte[]> commands =
        [
            Segment("__TEXT", 0, LinkEdit, (section, 0, text, 16)),
            Segment(last, LinkEdit, (ulong)(LinkEditSize + signature)),
            [.. Words(2, 24, LinkEdit + 16, 1, LinkEdit + 32, 4)],
            [.. Words(0x1b, 24), .. Enumerable.Repeat((byte)0xee, 16)],
        ];
        if (signature != 0)
            commands.Add([.. Words(0x1d, 16, LinkEdit + LinkEditSize, (uint)signature)]);
        if (more is not null)
            commands.Add(more);
        byte[] bytes = new byte[LinkEdit + LinkEditSize + signature];
        Random random = new(2);
        random.NextBytes(bytes.AsSpan(0x1000));
        Header(commands).CopyTo(bytes, 0);
        return bytes;
    }

    private static byte[] Dwarf(params (string Name, byte[] Content)[] sections)
    {
        const uint Start = 0x1000;
        uint at = Start;
        List<(string, ulong, uint, ulong)> all = [];
        foreach ((string name, byte[] content) in sections)
        {
            all.Add((name, at, at, (ulong)content.Length));
            at += (uint)content.Length;
        }
        byte[] bytes = new byte[at];
        Header([Segment("__DWARF", Start, at - Start, [.. all])]).CopyTo(bytes, 0);
        byte[] body = [.. sections.SelectMany(section => section.Content)];
        body.CopyTo(bytes, (int)Start);
        return bytes;
    }

    private static byte[] Header(List<byte[]> commands) =>
    [
        .. Words(0xfeedfacf, 0x0100000c, 0, 2, (uint)commands.Count, (uint)commands.Sum(command => command.Length), 0, 0),
        .. commands.SelectMany(command => command),
    ];

    private static byte[] Segment(string name, ulong offset, ulong size, params (string Name, ulong Address, uint Offset, ulong Size)[] sections) =>
    [
        .. Words(0x19, (uint)(72 + (80 * sections.Length))), .. Name(name), .. Longs(offset, size, offset, size),
        .. Words(7, 5, (uint)sections.Length, 0),
        .. sections.SelectMany(s => (byte[])[.. Name(s.Name), .. Name(name), .. Longs(s.Address, s.Size), .. Words(s.Offset, 0, 0, 0, 0, 0, 0, 0)]),
    ];

    private static byte[] Name(string name)
    {
        byte[] field = new byte[16];
        Encoding.ASCII.GetBytes(name).CopyTo(field, 0);
        return field;
    }

    private static byte[] Words(params uint[] words) => [.. words.SelectMany(BitConverter.GetBytes)];

    private static byte[] Longs(params ulong[] longs) => [.. longs.SelectMany(BitConverter.GetBytes)];
}
