using System.Diagnostics;
using System.Globalization;
using System.Text;
using AotLinker.Accounting;
using AotLinker.Cli;
using AotLinker.Explain;
using AotLinker.Mapping;

namespace AotLinker;

/// <summary>
/// Measures the passes of a link for <c>-benchmark</c> and prints them in the form of Go's benchmarks, as cmd/link does
/// (cmd/link/internal/benchmark), so that tools such as benchstat read both. Costs nothing when off.
/// <para>
/// Each line has the time and, of the managed heap and native memory together, the bytes allocated during the pass and the bytes
/// held at its end: with <c>-benchmark=mem</c> after a collection, where cmd/link calls them live-B. cmd/link's heap holds its
/// tables, ours lie in native memory, so neither half alone would compare.
/// </para>
/// <para>
/// The fourth figure is cmd/link's allocs/op, the number of heap objects. The runtime doesn't count managed objects; what is counted
/// is how often native memory was asked for, and it is called just that.
/// </para>
/// </summary>
internal sealed class Phases
{
    private readonly BenchmarkMode _mode;
    private readonly List<Mark> _marks = [];
    private int _depth;

    /// <param name="mode">What <c>-benchmark</c> asks for.</param>
    /// <param name="account">Told of each pass, too; null for none.</param>
    /// <param name="timeline">Likewise.</param>
    public Phases(BenchmarkMode mode, LinkAccount? account = null, Timeline? timeline = null)
    {
        _mode = mode;
        Account = account;
        Timeline = timeline;
        if (mode == BenchmarkMode.Memory)
            Collect();
    }

    private record struct Mark(string Name, bool IsOuter, long Nanoseconds, long Allocated, long NativeAllocations, long Held);

    /// <summary>The pass that runs now, for reports of internal errors; null between passes.</summary>
    public string? Current { get; private set; }

    /// <summary>The account of memory; null where none is wanted.</summary>
    public LinkAccount? Account { get; }

    /// <summary>When passes and threads ran; null where nobody wants to know.</summary>
    public Timeline? Timeline { get; }

    /// <summary>What passes have found out that is to be shown when the link has succeeded, in order.</summary>
    public List<LinkReport> Reports { get; } = [];

    /// <summary>Begins a pass, which ends when the result is disposed. A pass within a pass gets a line of its own.</summary>
    /// <param name="name">cmd/link's name of the pass where it has one.</param>
    public Scope Begin(string name)
    {
        string? outer = Current;
        Current = name;
        Account?.BeginPass(name);
        Timeline?.BeginPass(name);
        if (_mode == BenchmarkMode.None)
            return new Scope(this, outer, -1, default);
        _marks.Add(new Mark(name, _depth == 0, 0, 0, 0, 0));
        _depth++;
        return new Scope(this, outer, _marks.Count - 1, Reading.Now());
    }

    /// <summary>The report, empty when off. Called once, when all passes are over.</summary>
    public string Report()
    {
        if (_mode == BenchmarkMode.None)
            return "";
        string suffix = _mode == BenchmarkMode.Memory ? "_GC" : "";
        string heapUnit = _mode == BenchmarkMode.Memory ? "live-B" : "heap-B";
        var text = new StringBuilder();
        long total = 0;
        foreach (Mark mark in _marks)
        {
            if (mark.IsOuter)
                total += mark.Nanoseconds;
            text.Append(
                CultureInfo.InvariantCulture,
                $"{BenchmarkName(mark.Name + suffix)} 1 {mark.Nanoseconds} ns/op\t{mark.Allocated} B/op\t{mark.NativeAllocations} native-allocs/op\t");
            text.Append(CultureInfo.InvariantCulture, $"{mark.Held} {heapUnit}\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"{BenchmarkName("total time" + suffix)} 1 {total} ns/op\n");
        return text.ToString();
    }

    private static void Collect() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: false);

    // "total time" becomes BenchmarkTotalTime.
    private static string BenchmarkName(string name)
    {
        var result = new StringBuilder("Benchmark");
        bool capital = true;
        foreach (char c in name)
        {
            if (char.IsWhiteSpace(c))
            {
                capital = true;
                continue;
            }

            result.Append(capital ? char.ToUpperInvariant(c) : c);
            capital = false;
        }

        return result.ToString();
    }

    private void End(string? outer, int index, in Reading start)
    {
        Current = outer;
        Account?.EndPass();
        Timeline?.EndPass();
        if (index < 0)
            return;
        Reading end = Reading.Now();
        if (_mode == BenchmarkMode.Memory)
            Collect();
        _depth--;
        _marks[index] = _marks[index] with
        {
            Nanoseconds = (long)Stopwatch.GetElapsedTime(start.Ticks, end.Ticks).TotalNanoseconds,
            Allocated = end.Allocated - start.Allocated,
            NativeAllocations = end.NativeAllocations - start.NativeAllocations,
            Held = GC.GetTotalMemory(forceFullCollection: false) + MemoryAccount.Shared.NativeBytes,
        };
    }

    /// <summary>What only ever grows, read at both ends of a pass.</summary>
    internal readonly record struct Reading(long Ticks, long Allocated, long NativeAllocations)
    {
        public static Reading Now()
        {
            MemoryAccount native = MemoryAccount.Shared;
            return new Reading(Stopwatch.GetTimestamp(), GC.GetTotalAllocatedBytes() + native.NativeAllocated, native.NativeAllocations);
        }
    }

    /// <summary>A running pass.</summary>
    public readonly struct Scope : IDisposable
    {
        private readonly Phases _owner;
        private readonly string? _outer;
        private readonly int _index;
        private readonly Reading _start;

        internal Scope(Phases owner, string? outer, int index, in Reading start)
        {
            _owner = owner;
            _outer = outer;
            _index = index;
            _start = start;
        }

        /// <summary>Ends the pass.</summary>
        public void Dispose() => _owner.End(_outer, _index, _start);
    }
}
