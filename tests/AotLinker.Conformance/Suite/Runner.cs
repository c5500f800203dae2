using System.Collections.Concurrent;
using System.Diagnostics;

namespace AotLinker.Conformance.Suite;

/// <summary>Runs cases, several at a time, and prints the failures and a table.</summary>
internal static class Runner
{
    /// <summary>Returns the number of failed cases.</summary>
    /// <param name="cases">The cases, in the order of the table.</param>
    /// <param name="jobs">How many run at once.</param>
    /// <param name="verbose">Whether cases that passed are named too.</param>
    /// <param name="portsFile">A Markdown file whose table of ports is renewed; null for none.</param>
    public static int Run(IReadOnlyList<Case> cases, int jobs, bool verbose, string? portsFile)
    {
        long began = Stopwatch.GetTimestamp();
        ConcurrentDictionary<Case, (string? Failure, TimeSpan Time)> results = new();
        object console = new();
        Parallel.ForEach(
            Partitioner.Create(cases, EnumerablePartitionerOptions.NoBuffering),
            new ParallelOptions { MaxDegreeOfParallelism = jobs },
            one =>
            {
                long start = Stopwatch.GetTimestamp();
                string? failure = Try(one);
                TimeSpan time = Stopwatch.GetElapsedTime(start);
                results[one] = (failure, time);
                if (failure is not null || verbose)
                {
                    lock (console)
                    {
                        Console.WriteLine(FormattableString.Invariant($"{(failure is null ? "pass" : "FAIL")} {one} ({time.TotalSeconds:0.0} s)"));
                        if (failure is not null)
                        {
                            Console.WriteLine("    " + failure.TrimEnd().Replace("\n", "\n    ", StringComparison.Ordinal));
                        }
                    }
                }
            });
        PrintTable(cases, results, Stopwatch.GetElapsedTime(began));
        if (portsFile is not null)
        {
            PortTable.Write(portsFile, results.Select(result => (result.Key, result.Value.Failure is null)));
        }

        return results.Values.Count(result => result.Failure is not null);
    }

    private static string? Try(Case one)
    {
        try
        {
            one.Body();
            return null;
        }
        catch (Exception failure)
        {
            Exception cause = failure is AggregateException { InnerException: { } inner } ? inner : failure;
            return cause is CaseFailedException or ConformanceException ? cause.Message : cause.ToString();
        }
    }

    private static void PrintTable(
        IReadOnlyList<Case> cases, ConcurrentDictionary<Case, (string? Failure, TimeSpan Time)> results, TimeSpan wall)
    {
        string[] releases = [.. cases.Select(one => one.Release).Distinct().OrderDescending()];
        Console.WriteLine();
        Console.WriteLine($"{"",-14}{string.Concat(releases.Select(release => $"{"Go " + release,14}"))}{"seconds",10}");
        foreach (IGrouping<string, Case> group in cases.GroupBy(one => one.Group))
        {
            string columns = string.Concat(releases.Select(release =>
            {
                Case[] cell = [.. group.Where(one => one.Release == release)];
                int passed = cell.Count(one => results[one].Failure is null);
                return $"{(cell.Length == 0 ? "" : $"{passed}/{cell.Length}"),14}";
            }));
            double seconds = group.Sum(one => results[one].Time.TotalSeconds);
            Console.WriteLine(FormattableString.Invariant($"{group.Key,-14}{columns}{seconds,10:0}"));
        }

        int failed = results.Values.Count(result => result.Failure is not null);
        Console.WriteLine(FormattableString.Invariant($"\n{cases.Count} cases in {wall.TotalSeconds:0} s"));
        Console.WriteLine($"{cases.Count - failed} passed, {failed} failed");
    }
}
