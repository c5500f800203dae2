using System.Text.Json;
using AotLinker.Mapping;

namespace AotLinker.Accounting;

/// <summary>The account for programs: one JSON object, all figures in bytes, null where the host doesn't measure something.</summary>
internal static class AccountJson
{
    /// <summary>Writes the whole account, with a line end.</summary>
    public static byte[] Write(LinkAccount link)
    {
        MemoryAccount account = link.Account;
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteNumber("version", 1);
            WriteInputs(json, link);
            json.WriteStartObject("output");
            json.WriteNumber("mapped", account.OutputBytesMapped);
            WriteFigure(json, "touched", AccountText.MostResident(link, MapKind.Output));
            json.WriteNumber("written", account.OutputBytesWritten);
            json.WriteEndObject();
            WriteFigure(json, "anonymous", AccountText.MostResident(link, MapKind.Anonymous));
            WriteFigure(json, "program", AccountText.MostResident(link, MapKind.Program));
            WriteCopies(json, link);
            json.WriteStartObject("managed");
            json.WriteNumber("peak", link.Peak.Heap);
            json.WriteNumber("allocated", GC.GetTotalAllocatedBytes());
            json.WriteStartArray("collections");
            for (int generation = 0; generation <= 2; generation++)
                json.WriteNumberValue(GC.CollectionCount(generation));
            json.WriteEndArray();
            json.WriteEndObject();
            json.WriteNumber("nativePeak", account.NativePeak);
            WriteFigure(json, "privatePeak", Known(link.Peak.Private));
            WriteFigure(json, "residentPeak", Known(Math.Max(link.Process.PeakResident, link.Peak.Resident)));
            json.WriteStartArray("passes");
            foreach (PassRecord pass in link.Passes)
                WritePass(json, pass);
            json.WriteEndArray();
            json.WriteEndObject();
        }

        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }

    private static void WriteInputs(Utf8JsonWriter json, LinkAccount link)
    {
        MemoryAccount account = link.Account;
        json.WriteStartObject("inputs");
        json.WriteNumber("filesMapped", account.InputFilesMapped);
        json.WriteNumber("mapped", account.InputBytesMapped);
        WriteFigure(json, "touched", AccountText.MostResident(link, MapKind.Input));
        json.WriteNumber("filesRead", account.InputFilesRead);
        json.WriteNumber("read", account.InputBytesRead);
        json.WriteStartArray("readFiles");
        foreach (AccountDetails.ReadFile file in account.Details!.Read())
        {
            json.WriteStartObject();
            json.WriteString("path", file.Path);
            json.WriteNumber("bytes", file.Bytes);
            json.WriteString("reason", AccountText.Name(file.Reason));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteCopies(Utf8JsonWriter json, LinkAccount link)
    {
        json.WriteStartObject("privateCopies");
        json.WriteNumber("count", link.Account.PrivateCopies);
        json.WriteNumber("bytes", link.Account.PrivateCopyBytes);
        json.WriteStartArray("symbols");
        foreach ((string symbol, int bytes) in link.Copies)
        {
            json.WriteStartObject();
            json.WriteString("name", symbol);
            json.WriteNumber("bytes", bytes);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WritePass(Utf8JsonWriter json, PassRecord pass)
    {
        json.WriteStartObject();
        json.WriteString("name", pass.Name);
        json.WriteNumber("nanoseconds", (long)pass.Time.TotalNanoseconds);
        json.WriteNumber("allocated", pass.Counters.Allocated);
        json.WriteNumber("inputsMapped", pass.Counters.InputBytesMapped);
        json.WriteNumber("inputsRead", pass.Counters.InputBytesRead);
        json.WriteNumber("outputWritten", pass.Counters.OutputBytesWritten);
        json.WriteNumber("copies", pass.Counters.Copies);
        json.WriteNumber("copyBytes", pass.Counters.CopyBytes);
        WriteFigures(json, "peak", pass.Peak);
        WriteFigures(json, "end", pass.End);
        if (pass.Resident is { } resident)
        {
            json.WriteStartObject("resident");
            json.WriteNumber("inputs", resident.Of(MapKind.Input));
            json.WriteNumber("output", resident.Of(MapKind.Output));
            json.WriteNumber("anonymous", resident.Of(MapKind.Anonymous));
            json.WriteNumber("program", resident.Of(MapKind.Program));
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static void WriteFigures(Utf8JsonWriter json, string name, in MemoryFigures figures)
    {
        json.WriteStartObject(name);
        json.WriteNumber("managed", figures.Heap);
        json.WriteNumber("native", figures.Native);
        WriteFigure(json, "private", Known(figures.Private));
        WriteFigure(json, "resident", Known(figures.Resident));
        json.WriteEndObject();
    }

    private static void WriteFigure(Utf8JsonWriter json, string name, long? bytes)
    {
        if (bytes is { } known)
            json.WriteNumber(name, known);
        else
            json.WriteNull(name);
    }

    private static long? Known(long bytes) => bytes == ProcessMemory.Unknown ? null : bytes;
}
