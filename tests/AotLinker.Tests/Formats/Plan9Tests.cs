using System.Buffers.Binary;
using System.Text;
using AotLinker.Cpu;
using AotLinker.Emit;
using AotLinker.Formats.Plan9;
using AotLinker.Objects;
using AotLinker.Tests.Layout;

namespace AotLinker.Tests.Formats;

public class Plan9Tests
{
    [Fact]
    public void Amd64HasAWideHeaderAndWideValues()
    {
        byte[] file = Build(new Amd64(), narrow: false, strip: false, out TestLink link);
        using (link)
        {
            uint[] header = Header(file);
            // S_MAGIC with the bit of the wide header.
            Assert.Equal(0x8a97u, header[0]);
            Assert.Equal((uint)link.AddressOf("_rt0"), header[5]);
            Assert.Equal(link.AddressOf("_rt0"), BinaryPrimitives.ReadInt64BigEndian(file.AsSpan(32)));
            Assert.Equal(0x200040, link.AddressOf("runtime.text"));
            CheckSizes(file, header, 40);
            Assert.Equal(Expected(link, ".abi0"), Symbols(file, header, 8));
        }
    }

    [Fact]
    public void Amd64sSymbolValuesCanBeNarrow()
    {
        byte[] file = Build(new Amd64(), narrow: true, strip: false, out TestLink link);
        using (link)
        {
            Assert.Equal(Expected(link, ".abi0"), Symbols(file, Header(file), 4));
        }
    }

    [Theory]
    [InlineData("386", 0x1ebu)]
    [InlineData("arm", 0x647u)]
    public void OtherCpusHaveANarrowHeader(string name, uint magic)
    {
        byte[] file = Build(name == "386" ? new I386() : new Arm(), narrow: false, strip: false, out TestLink link);
        using (link)
        {
            uint[] header = Header(file);
            Assert.Equal((magic, (uint)link.AddressOf("_rt0")), (header[0], header[5]));
            Assert.Equal(0x1020, link.AddressOf("runtime.text"));
            CheckSizes(file, header, 32);
            // No ABI wrappers here.
            Assert.Equal(Expected(link, ""), Symbols(file, header, 4));
        }
    }

    [Fact]
    public void AStrippedFileEndsWithItsData()
    {
        byte[] file = Build(new Amd64(), narrow: false, strip: true, out TestLink link);
        using (link)
        {
            uint[] header = Header(file);
            Assert.Equal(0u, header[4]);
            CheckSizes(file, header, 40);
        }
    }

    [Fact]
    public void ThereAreNoSharedLibraries()
    {
        using TestLink link = new(cpu: new Amd64(), format: new Plan9Format(ElfSample.Target("plan9", HeadType.Plan9, BuildMode.Exe), false));
        SymbolId s = link.Symbols.Update("libc_f"u8, 0).SetKind(SymbolKind.DynImport).Symbol;
        link.Ctx.Format.AddDynamicSymbol(link.Ctx, s);
        link.Ctx.Format.AddGotEntry(link.Ctx, s, 0);
        link.Ctx.Format.AddPltEntry(link.Ctx, s);
        Assert.Equal(
            ["libc_f: adddynsym: unsupported binary format", "libc_f: addgotsym: unsupported binary format",
                "libc_f: addpltsym: unsupported binary format"],
            link.Errors);
    }

    [Fact]
    public void OtherCpusAreRefused()
    {
        Target target = ElfSample.Target("plan9", HeadType.Plan9, BuildMode.Exe, new Loong64());
        Assert.Equal("unknown -H option: plan9", Assert.Throws<LinkException>(() => new Plan9Format(target, false)).Message);
    }

    private static byte[] Build(CpuArch cpu, bool narrow, bool strip, out TestLink link)
    {
        link = new TestLink(cpu: cpu, format: new Plan9Format(ElfSample.Target("plan9", HeadType.Plan9, BuildMode.Exe, cpu), narrow));
        link.Ctx.Settings.EntrySymbol = "_rt0";
        link.Ctx.Settings.OmitSymbolTable = strip;
        link.AddBytes("_rt0", SymbolKind.Text, new byte[32]);
        link.Add("main.f", SymbolKind.Text, 16, version: 0);
        if (cpu.HasRegisterAbi)
            link.Add("main.f", SymbolKind.Text, 16, version: 1);
        SymbolId local = link.Symbols.CreateUnnamed("main.l"u8, SymbolTable.StaticVersion);
        link.Symbols.Update(local).SetKind(SymbolKind.Text).SetSize(16).SetReachable();
        link.Ctx.Text.Add(local);
        link.AddBytes("main.d", SymbolKind.NoPtrData, new byte[8]);
        link.AddBytes(".hidden", SymbolKind.NoPtrData, new byte[8]);
        link.AddBytes("main.unlisted", SymbolKind.NoPtrData, new byte[8]).Set(SymbolTable.Attributes.NotInSymbolTable);
        link.Add("main.b", SymbolKind.NoPtrBss, 100);
        link.Add("main.dead", SymbolKind.NoPtrBss, 8).SetReachable(false);
        link.LayOut();
        Emitter.Run(link.Ctx);
        link.Ctx.Format.WriteTables(link.Ctx);
        return link.ReadAll();
    }

    private static uint[] Header(byte[] file) =>
        [.. Enumerable.Range(0, 8).Select(i => BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(4 * i)))];

    private static void CheckSizes(byte[] file, uint[] header, int headerSize)
    {
        Assert.Equal((uint)file.Length, headerSize + header[1] + header[2] + header[4]);
        Assert.True(header[3] >= 100);
        Assert.Equal((0u, 0u), (header[6], header[7]));
    }

    private static string[] Expected(TestLink link, string suffix)
    {
        List<string> expected = [$"T runtime.text {link.AddressOf("runtime.text"):x}", $"T runtime.etext {link.AddressOf("runtime.etext"):x}"];
        foreach (SymbolId s in link.Ctx.Text)
        {
            char letter = link.Symbols.IsFileLocal(s) ? 't' : 'T';
            string name = link.Symbols.NameText(s) + (link.Symbols.NameText(s) == "main.f" && link.Symbols.Version(s) == 0 ? suffix : "");
            expected.Add($"{letter} {name} {link.Symbols.Value(s):x}");
        }
        expected.Add($"D main.d {link.AddressOf("main.d"):x}");
        expected.Add($"B main.b {link.AddressOf("main.b"):x}");
        return [.. expected];
    }

    /// <summary>The entries of the table but those that layout adds, such as the markers of data.</summary>
    private static string[] Symbols(byte[] file, uint[] header, int valueSize)
    {
        List<string> symbols = [];
        int at = file.Length - (int)header[4];
        while (at < file.Length)
        {
            ulong value = valueSize == 8 ? BinaryPrimitives.ReadUInt64BigEndian(file.AsSpan(at)) : BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan(at));
            char letter = (char)(file[at + valueSize] & 0x7f);
            Assert.True(file[at + valueSize] >= 0x80);
            at += valueSize + 1;
            int length = file.AsSpan(at).IndexOf((byte)0);
            string name = Encoding.UTF8.GetString(file, at, length);
            at += length + 1;
            if (char.ToUpperInvariant(letter) == 'T' || name.StartsWith("main.", StringComparison.Ordinal))
                symbols.Add($"{letter} {name} {value:x}");
        }
        return [.. symbols];
    }
}
