using System.Buffers.Binary;
using System.Text;

namespace AotLinker.Tests.Formats;

/// <summary>Reads XCOFF files, as far as tests look into them.</summary>
internal static class XcoffFile
{
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
