using System.Buffers.Binary;
using AotLinker.Emit;
using AotLinker.Layout;
using AotLinker.Objects;
using AotLinker.Tests.Layout;
using AotLinker.Tests.Mapping;

namespace AotLinker.Tests.Emit;

public class EmitterTests
{
    private const int EmbeddedSize = 5_000_000;

    private static readonly byte[] Embedded = Scratch.Pattern(4_300_001);

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(false, 4)]
    [InlineData(true, 4)]
    public void AllBytesAreTheSameMappedOrBufferedWithAnyThreads(bool buffered, int threads)
    {
        using TestLink reference = Large(false, 1);
        using TestLink link = Large(buffered, threads);
        Assert.Equal(!buffered, link.Ctx.Output.IsMapped);
        Assert.True(reference.ReadAll().AsSpan().SequenceEqual(link.ReadAll()));
        // The table of 6 MB was made in pieces of whole records, and each pointer of the large symbol was applied.
        byte[] table = link.Read("table", 12 * 500_000);
        for (int i = 0; i < 500_000; i++)
        {
            Assert.Equal((uint)i, BinaryPrimitives.ReadUInt32LittleEndian(table.AsSpan(12 * i)));
        }
        // What is only copied comes in pieces, too, and is followed by zeros to the end of the symbol.
        byte[] embedded = link.Read("embedded", EmbeddedSize);
        Assert.Equal(Embedded, embedded[..Embedded.Length]);
        Assert.Equal(-1, embedded.AsSpan(Embedded.Length).IndexOfAnyExcept((byte)0));
        byte[] pointers = link.Read("pointers", 8 * 300_001 + 4);
        for (int i = 0; i < 300_000; i++)
        {
            Assert.Equal(link.AddressOf("table") + i, BinaryPrimitives.ReadInt64LittleEndian(pointers.AsSpan((8 * i) + 4)));
        }
    }

    [Fact]
    public void GapsBetweenFunctionsTrap()
    {
        using TestLink link = new();
        link.AddBytes("a", SymbolKind.Text, [1, 2, 3]);
        link.AddBytes("b", SymbolKind.Text, [4]);
        link.LayOut();
        Emitter.Run(link.Ctx);
        byte[] text = link.Read("a", 49);
        byte[] expected = new byte[49];
        Array.Fill(expected, (byte)0xcc);
        ((byte[])[1, 2, 3]).CopyTo(expected, 0);
        expected[32] = 4;
        Assert.Equal(expected, text);
    }

    [Fact]
    public void ContentLongerThanTheSymbolIsAnError()
    {
        using TestLink link = new();
        link.AddBytes("x", SymbolKind.NoPtrData, new byte[16]).SetSize(8);
        link.LayOut();
        Assert.Throws<ErrorsReportedException>(() => Emitter.Run(link.Ctx));
        Assert.Equal(["x: initialize bounds (8 < 16)"], link.Errors);
    }

    [Fact]
    public void TheFipsHashCoversSectionsAndGoesIntoFipsInfo()
    {
        using TestLink link = new();
        link.AddBytes("f", SymbolKind.TextFips, [1, 2, 3]);
        link.AddBytes("d", SymbolKind.NoPtrDataFips, [4, 5]);
        FipsSections.Create(link.Ctx);
        string file = Path.GetTempFileName();
        link.Ctx.Settings.FipsObject = file;
        link.LayOut();
        Emitter.Run(link.Ctx);
        FipsHash.Run(link.Ctx);
        byte[] hashed = File.ReadAllBytes(file);
        File.Delete(file);
        Assert.Empty(link.Errors);
        Assert.True(hashed.AsSpan().StartsWith("go fips object v1\n"u8));
        // Four sections: the start marker, aligned content; lengths are big-endian.
        Assert.Equal(link.AddressOf("go:textfipsend") - link.AddressOf("go:textfipsstart"), BinaryPrimitives.ReadInt64BigEndian(hashed.AsSpan(18)));
        byte[] info = link.Read("go:fipsinfo", 120);
        Assert.True(info.AsSpan(1).StartsWith(" Go fipsinfo "u8));
        using System.Security.Cryptography.HMACSHA256 hmac = new(new byte[32]);
        Assert.Equal(hmac.ComputeHash(hashed), info[16..48]);
        Assert.Equal(link.AddressOf("go:fipsinfo"), BinaryPrimitives.ReadInt64LittleEndian(info.AsSpan(48)));
        Assert.Equal(link.AddressOf("go:datafipsend"), BinaryPrimitives.ReadInt64LittleEndian(info.AsSpan(112)));
    }

    private static TestLink Large(bool buffered, int threads)
    {
        TestLink link = new("go1.27", threads, buffered);
        for (int i = 0; i < 3000; i++)
        {
            byte[] content = new byte[700 + i];
            Array.Fill(content, (byte)i);
            link.AddBytes($"f{i}", SymbolKind.Text, content);
            link.AddBytes($"d{i}", SymbolKind.NoPtrData, content);
        }
        SymbolId table = link.Ctx.CreateGenerated("table"u8, 0, SymbolKind.RoData, 12 * 500_000, FillTable, granule: 12);
        link.Ctx.CreateGenerated("whole"u8, 0, SymbolKind.RoData, 5_000_000, (_, _, offset, piece) =>
        {
            Assert.Equal(0, offset);
            Assert.Equal(5_000_000, piece.Length);
            piece.Fill(7);
        });
        link.AddBytes("embedded", SymbolKind.NoPtrData, Embedded).SetSize(EmbeddedSize);
        // Fields that start at 4 lie across every multiple of 8, so across the ends of blocks.
        SymbolBuilder pointers = link.AddBytes("pointers", SymbolKind.NoPtrData, new byte[(8 * 300_001) + 4]);
        for (int i = 0; i < 300_000; i++)
        {
            pointers.AddReloc(RelocKind.Addr, (8 * i) + 4, 8, table, i);
        }
        link.LayOut();
        Emitter.Run(link.Ctx);
        Assert.Empty(link.Errors);
        return link;

        static void FillTable(LinkContext ctx, SymbolId s, long offset, Span<byte> piece)
        {
            Assert.Equal(0, offset % 12);
            // Buffers are used again, for content of other kinds, too.
            Assert.Equal(-1, piece.IndexOfAnyExcept((byte)0));
            for (int i = 0; i < piece.Length; i += 12)
            {
                BinaryPrimitives.WriteInt32LittleEndian(piece[i..], (int)((offset + i) / 12));
            }
        }
    }
}
