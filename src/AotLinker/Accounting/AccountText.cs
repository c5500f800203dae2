using System.Globalization;
using System.Text;
using AotLinker.Mapping;

namespace AotLinker.Accounting;

/// <summary>The account for people: a summary, then a line for each pass. MB are millions of bytes.</summary>
internal static class AccountText
{
    private const int MostCopies = 10;

    /// <summary>Writes the whole account.</summary>
    public static string Write(LinkAccount link)
    {
        MemoryAccount account = link.Account;
        var text = new StringBuilder();
        Line("inputs mapped", $"{account.InputFilesMapped} files, {Mb(account.InputBytesMapped)} MB{Touched(link, MapKind.Input)}");
        Line("inputs read", $"{account.InputFilesRead} files, {Mb(account.InputBytesRead)} MB{Reasons(account)}");
        Line("output mapped", $"{Mb(account.OutputBytesMapped)} MB{Touched(link, MapKind.Output)}");
        Line("output written", $"{Mb(account.OutputBytesWritten)} MB by calls");
        Line("private copies", $"{account.PrivateCopies} symbols, {account.PrivateCopyBytes} bytes");
        foreach ((string symbol, int bytes) in link.Copies.Take(MostCopies))
            Line("", $"{bytes} {symbol}");
        if (link.Copies.Count > MostCopies)
            Line("", $"… and {link.Copies.Count - MostCopies} smaller ones");
        Line("managed heap", $"{Mb(link.Peak.Heap)} MB at most; {Mb(GC.GetTotalAllocatedBytes())} MB allocated; collections {GC.CollectionCount(0)}, {GC.CollectionCount(1)}, {GC.CollectionCount(2)}");
        Line("native memory", $"{Mb(account.NativePeak)} MB at most, touched or not");
        Line("private memory", $"{Mb(link.Peak.Private)} MB at most");
        Line("resident", $"{Mb(Math.Max(link.Process.PeakResident, link.Peak.Resident))} MB at most");
        text.Append('\n');

        text.Append(CultureInfo.InvariantCulture, $"{"",-24}{"",9}{"at most, MB",-38}{"in memory at the end, MB",-38}\n");
        text.Append(CultureInfo.InvariantCulture, $"{"pass",-24}{"ms",9}");
        foreach (string title in (string[])["heap", "native", "private", "resident", "inputs", "output", "no file", "program", "copied"])
            text.Append(CultureInfo.InvariantCulture, $"{title,10}");
        text.Append('\n');
        foreach (PassRecord pass in link.Passes)
        {
            text.Append(CultureInfo.InvariantCulture, $"{pass.Name,-24}{pass.Time.TotalMilliseconds,9:0.0}");
            text.Append(CultureInfo.InvariantCulture, $"{Mb(pass.Peak.Heap),10}{Mb(pass.Peak.Native),10}{Mb(pass.Peak.Private),10}{Mb(pass.Peak.Resident),10}");
            foreach (MapKind kind in (MapKind[])[MapKind.Input, MapKind.Output, MapKind.Anonymous, MapKind.Program])
                text.Append(CultureInfo.InvariantCulture, $"{(pass.Resident is { } resident ? Mb(resident.Of(kind)) : "-"),10}");
            text.Append(CultureInfo.InvariantCulture, $"{Mb(pass.Counters.CopyBytes),10}\n");
        }

        return text.ToString();

        void Line(string name, FormattableString value) => text.Append(CultureInfo.InvariantCulture, $"{name,-16}{value.ToString(CultureInfo.InvariantCulture)}\n");
    }

    /// <summary>The most of a kind of map that was in memory at the end of a pass; null where the host doesn't tell.</summary>
    public static long? MostResident(LinkAccount link, MapKind kind)
    {
        long? most = null;
        foreach (PassRecord pass in link.Passes)
        {
            if (pass.Resident is { } resident)
                most = Math.Max(most ?? 0, resident.Of(kind));
        }

        return most;
    }

    /// <summary>What a reason is called.</summary>
    public static string Name(ReadReason reason) => reason switch
    {
        ReadReason.Small => "small",
        ReadReason.NoLength => "no length",
        ReadReason.MapLimit => "map limit",
        ReadReason.Refused => "map refused",
        _ => "switched off",
    };

    private static string Touched(LinkAccount link, MapKind kind) =>
        MostResident(link, kind) is { } bytes ? $", {Mb(bytes)} MB of it touched" : "";

    private static string Reasons(MemoryAccount account)
    {
        List<string> parts = [];
        for (ReadReason reason = 0; (int)reason < MemoryAccount.ReadReasons; reason++)
        {
            if (account.FilesRead(reason) is > 0 and long files)
                parts.Add(string.Create(CultureInfo.InvariantCulture, $"{Name(reason)}: {files}"));
        }

        return parts.Count == 0 ? "" : $" ({string.Join(", ", parts)})";
    }

    private static string Mb(long bytes) => bytes < 0 ? "-" : (bytes / 1e6).ToString("0.00", CultureInfo.InvariantCulture);
}
