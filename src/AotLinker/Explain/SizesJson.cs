using System.Text.Json;

namespace AotLinker.Explain;

/// <summary>
/// The account of the output's bytes for programs: one JSON object, all sizes in bytes; packages in the order of their import paths, sections in
/// the order of the file. Kinds that a package has nothing of are left out.
/// </summary>
internal static class SizesJson
{
    /// <summary>Writes the account, with a line end.</summary>
    public static byte[] Write(FileSizes sizes)
    {
        LinkContext ctx = sizes.Context;
        using MemoryStream stream = new();
        using (Utf8JsonWriter json = new(stream, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteNumber("version", 1);
            json.WriteString("goos", ctx.Target.Goos);
            json.WriteString("goarch", ctx.Target.Goarch);
            json.WriteString("format", ctx.Format.Name);
            json.WriteBoolean("isObjectForExternalLinker", ctx.Target.IsExternal);
            json.WriteNumber("length", sizes.Length);
            json.WriteStartObject("kinds");
            foreach (SizeKind kind in Enum.GetValues<SizeKind>())
            {
                json.WriteNumber(kind.Name(), sizes.Total(kind));
            }
            json.WriteEndObject();
            json.WriteStartArray("sections");
            foreach (SizedSection section in sizes.Sections)
            {
                json.WriteStartObject();
                json.WriteString("name", section.Name);
                json.WriteNumber("inFile", section.InFile);
                json.WriteNumber("inMemory", section.InMemory);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteStartArray("packages");
            Modules modules = new(ctx.Options.StringDefinitions);
            foreach (int package in Enumerable.Range(0, sizes.Packages.Count).OrderBy(sizes.Packages.Name, StringComparer.Ordinal))
            {
                if (sizes.Total(package) + sizes.Zeroed(package) != 0)
                {
                    WritePackage(json, sizes, modules, package);
                }
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }

    private static void WritePackage(Utf8JsonWriter json, FileSizes sizes, Modules modules, int package)
    {
        (string module, string version) = modules.Of(sizes.Packages.Name(package));
        json.WriteStartObject();
        json.WriteString("path", sizes.Packages.Name(package));
        json.WriteString("module", module);
        json.WriteString("moduleVersion", version);
        json.WriteNumber("length", sizes.Total(package));
        json.WriteStartObject("kinds");
        foreach (SizeKind kind in Enum.GetValues<SizeKind>())
        {
            if (sizes.Bytes(package)[(int)kind] is not 0 and var bytes)
            {
                json.WriteNumber(kind.Name(), bytes);
            }
        }
        json.WriteEndObject();
        json.WriteNumber("zeroed", sizes.Zeroed(package));
        json.WriteNumber("uncompressedDwarf", sizes.DebugBytes(package));
        json.WriteStartArray("largest");
        foreach (SizedSymbol symbol in sizes.Largest(package))
        {
            json.WriteStartObject();
            json.WriteString("name", sizes.Context.Symbols.NameText(symbol.Symbol));
            json.WriteString("kind", symbol.IsInFile ? symbol.Kind.Name() : "zeroed");
            json.WriteNumber("length", symbol.Size);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
