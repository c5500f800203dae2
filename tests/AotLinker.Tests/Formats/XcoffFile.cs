using System.Buffers.Binary;
using System.Text;
using AotLinker.Cpu;
using AotLinker.Emit;
using AotLinker.Formats.Xcoff;
using AotLinker.Objects;
using AotLinker.Tests.Layout;

namespace AotLinker.Tests.Formats;

/// <summary>Makes XCOFF files, and reads them as far as tests look into them.</summary>
internal static class XcoffFile
{
    /// <summary>A link for AIX without symbols.</summary>
    public static TestLink Begin() => new(cpu: new Ppc64(true, 8, HeadType.Aix), format: new XcoffFormat(), system: HeadType.Aix);

    /// <summary>Lays out what was added, and returns the file.</summary>
    public static byte[] Write(TestLink link)
    {
        LinkContext ctx = link.Ctx;
        ctx.Format.AddFormatSymbols(ctx);
        AotLinker.Synthesize.ArchSymbols.Run(ctx);
        link.LayOut();
        Assert.Empty(link.Errors);
        Emitter.Run(ctx);
        ctx.Format.WriteTables(ctx);
        Assert.Empty(link.Errors);
        return link.ReadAll();
    }

    /// <summary>Adds a function of a package.</summary>
    public static SymbolBuilder Function(TestLink link, string name, string package, byte[] code)
    {
        SymbolBuilder b = link.AddBytes(name, SymbolKind.Text, code);
        link.Symbols.PackageOverride[b.Symbol] = package;
        return b;
    }

    public static Section[] Sections(byte[] file) => [.. Enumerable.Range(0, U16(file, 2)).Select(i =>
    {
        // Behind the auxiliary header, whose size the file header tells.
        int at = 24 + U16(file, 16) + (72 * i);
        string name = Encoding.ASCII.GetString(file.AsSpan(at, 8)).TrimEnd('\0');
        return new Section(name, (long)U64(file, at + 16), (long)U64(file, at + 24), (long)U64(file, at + 32), U32(file, at + 64))
        {
            RelocationsAt = (long)U64(file, at + 40),
            Relocations = (int)U32(file, at + 56),
        };
    })];

    public static List<Symbol> Symbols(byte[] file)
    {
        List<Symbol> symbols = [];
        int at = (int)U64(file, 8);
        int count = (int)U32(file, 20);
        for (int i = 0; i < count;)
        {
            byte[] entry = file[(at + (18 * i))..(at + (18 * (i + 1)))];
            int auxiliaries = entry[17];
            byte[] auxiliary = file[(at + (18 * (i + 1)))..(at + (18 * (i + 1 + auxiliaries)))];
            string name = U32(entry, 8) == 0 ? "" : NameAt(file, U32(entry, 8));
            symbols.Add(new Symbol(i, name, (long)U64(entry, 0), (short)U16(entry, 12), entry[16], auxiliaries, auxiliary));
            i += 1 + auxiliaries;
        }
        return symbols;
    }

    public static string NameAt(byte[] file, uint offset)
    {
        int at = (int)(U64(file, 8) + (18 * U32(file, 20)) + offset);
        return Encoding.UTF8.GetString(file.AsSpan(at)[..file.AsSpan(at).IndexOf((byte)0)]);
    }

    public static int U16(byte[] bytes, int at) => BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(at));

    public static uint U32(byte[] bytes, int at) => BinaryPrimitives.ReadUInt32BigEndian(bytes.AsSpan(at));

    public static ulong U64(byte[] bytes, int at) => BinaryPrimitives.ReadUInt64BigEndian(bytes.AsSpan(at));

    internal sealed record Section(string Name, long Address, long Size, long Offset, uint Flags)
    {
        public long RelocationsAt { get; init; }

        public int Relocations { get; init; }
    }

    internal sealed record Symbol(int Number, string Name, long Value, int Section, int Class, int Auxiliaries, byte[] Auxiliary);
}
