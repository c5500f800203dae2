using AotLinker.Objects;

namespace AotLinker.Layout;

/// <summary>
/// Where the FIPS 140 module lies in a program: code and data of its packages have kinds of their own, which layout puts side by side
/// between one-byte markers, and go:fipsinfo tells the program where, and what hash to expect (cmd/link fips140.go).
/// </summary>
internal static class FipsSections
{
    /// <summary>Length of the magic at the start of go:fipsinfo.</summary>
    public const int MagicLength = 16;

    /// <summary>Length of the hash that follows it.</summary>
    public const int SumLength = 32;

    /// <summary>What go:fipsinfo begins with: not valid UTF-8, so that it is not found by accident.</summary>
    public static ReadOnlySpan<byte> Magic =>
    [
        0xff, (byte)' ', (byte)'G', (byte)'o', (byte)' ', (byte)'f', (byte)'i', (byte)'p', (byte)'s', (byte)'i', (byte)'n', (byte)'f',
        (byte)'o', (byte)' ', 0xff, 0,
    ];

    /// <summary>Makes the markers and go:fipsinfo (loadfips). At the end of load.</summary>
    public static void Create(LinkContext ctx)
    {
        if (!ctx.Format.ProgramsCanCheckThemselves(ctx.Target) || ctx.Target.BuildMode == BuildMode.Plugin)
        {
            return;
        }
        SymbolBuilder info = ctx.Symbols.Update("go:fipsinfo"u8, 0).SetKind(SymbolKind.FipsInfo);
        byte[] content = new byte[MagicLength + SumLength];
        Magic.CopyTo(content);
        info.SetData(content);
        info.SetSize(content.Length);
        info.AddAddress(info.Symbol);
        SymbolId[] markers = new SymbolId[8];
        markers[0] = Add("go:textfipsstart"u8, SymbolKind.TextFipsStart);
        markers[1] = Add("go:textfipsend"u8, SymbolKind.TextFipsEnd);
        markers[2] = Add("go:rodatafipsstart"u8, SymbolKind.RoDataFipsStart);
        markers[3] = Add("go:rodatafipsend"u8, SymbolKind.RoDataFipsEnd);
        markers[4] = Add("go:noptrdatafipsstart"u8, SymbolKind.NoPtrDataFipsStart);
        markers[5] = Add("go:noptrdatafipsend"u8, SymbolKind.NoPtrDataFipsEnd);
        markers[6] = Add("go:datafipsstart"u8, SymbolKind.DataFipsStart);
        markers[7] = Add("go:datafipsend"u8, SymbolKind.DataFipsEnd);
        ctx.Fips = new FipsSymbols(info.Symbol, markers);

        SymbolId Add(ReadOnlySpan<byte> name, SymbolKind kind)
        {
            SymbolBuilder b = ctx.Symbols.Update(name, 0).SetKind(kind).SetSize(1).Set(SymbolTable.Attributes.Local);
            info.AddAddress(b.Symbol);
            if (kind.IsText())
            {
                ctx.Text.Add(b.Symbol);
            }
            return b.Symbol;
        }
    }
}

/// <summary>The symbols of the FIPS module.</summary>
/// <param name="Info">go:fipsinfo.</param>
/// <param name="Markers">Start and end of its code, read-only data, pointer-free data and data, in this order.</param>
internal sealed record FipsSymbols(SymbolId Info, SymbolId[] Markers);
