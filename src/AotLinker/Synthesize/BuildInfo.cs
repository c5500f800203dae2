using System.Text;
using AotLinker.Cli;
using AotLinker.Objects;

namespace AotLinker.Synthesize;

/// <summary>The information about the build that programs carry for tools: version, modules, build ID.</summary>
internal static class BuildInfo
{
    private const int HeaderSize = 32;
    private const int Alignment = 16;

    /// <summary>
    /// Makes go:buildinfo, which "go version" reads (ld.buildinfo; format: debug/buildinfo). A 32-byte header, then the version and the
    /// module information, each with its length in front, filled up to a multiple of 16.
    /// </summary>
    public static void Run(LinkContext ctx)
    {
        byte[] data = Encode(
            ctx.Target.PointerSize, ctx.Target.IsBigEndian, Value(ctx, "runtime.buildVersion"u8), Value(ctx, "runtime.modinfo"u8));
        SymbolBuilder b = ctx.Symbols.Update("go:buildinfo"u8, 0);
        b.SetKind(SymbolKind.BuildInfo).SetAlign(Alignment);
        b.SetData(data);
        b.SetSize(data.Length);

        // A reference from read-only data keeps an external linker from dropping it.
        SymbolBuilder reference = ctx.Symbols.Update("go:buildinfo.ref"u8, 0);
        reference.SetKind(SymbolKind.RoData).SetAlign(ctx.Target.PointerSize);
        reference.AddAddress(b.Symbol);
    }

    /// <summary>The content of go:buildinfo.</summary>
    public static byte[] Encode(int pointerSize, bool isBigEndian, ReadOnlySpan<byte> version, ReadOnlySpan<byte> modules)
    {
        List<byte> data = new(HeaderSize + version.Length + modules.Length + (2 * 10) + Alignment);
        // 0xff is not valid UTF-8: the mark is unlikely to occur anywhere else. Flag 2: the strings follow inline.
        data.Add(0xff);
        data.AddRange(" Go buildinf:"u8);
        data.Add((byte)pointerSize);
        data.Add((byte)((isBigEndian ? 1 : 0) | 2));
        while (data.Count < HeaderSize)
        {
            data.Add(0);
        }
        AddWithLength(data, version);
        AddWithLength(data, modules);
        while (data.Count % Alignment != 0)
        {
            data.Add(0);
        }
        return [.. data];
    }

    /// <summary>
    /// Where the format has no note for it, puts Go's build ID in front of all functions, where the go command looks for it
    /// (ld.textbuildid).
    /// </summary>
    public static void AddTextBuildId(LinkContext ctx)
    {
        string id = ctx.Options.BuildId;
        if (ctx.Format.HasBuildIdNote || id.Length == 0)
        {
            return;
        }
        List<byte> data = [0xff];
        data.AddRange(" Go build ID: "u8);
        data.AddRange(Encoding.UTF8.GetBytes(GoText.Quote(id)));
        data.AddRange("\n "u8);
        data.Add(0xff);
        SymbolBuilder b = ctx.Symbols.Update("go:buildid"u8, 0);
        b.SetKind(SymbolKind.Text);
        b.SetData(data.ToArray());
        b.SetSize(data.Count);
        ctx.Text.Insert(0, b.Symbol);
    }

    private static ReadOnlySpan<byte> Value(LinkContext ctx, ReadOnlySpan<byte> name)
    {
        foreach (StringDefinition definition in ctx.Options.StringDefinitions)
        {
            if (name.SequenceEqual(definition.Name))
            {
                return definition.Value;
            }
        }
        return default;
    }

    private static void AddWithLength(List<byte> data, ReadOnlySpan<byte> bytes)
    {
        uint length = (uint)bytes.Length;
        for (; length >= 0x80; length >>= 7)
        {
            data.Add((byte)(length | 0x80));
        }
        data.Add((byte)length);
        data.AddRange(bytes);
    }
}
