using System.Text.Json;
using AotLinker.Accounting;
using AotLinker.Cli;

namespace AotLinker.Tests.Accounting;

/// <summary>The timeline of passes and threads.</summary>
public sealed class TimelineTests
{
    [Fact]
    public void PassesAndWorkersAreEventsThatAViewerOpens()
    {
        Timeline timeline = new();
        Phases phases = new(BenchmarkMode.None, null, timeline);
        Workers workers = new(3) { Timeline = timeline };
        using (phases.Begin("outer"))
        {
            using (phases.Begin("inner"))
            {
                workers.For(50, _ => System.Threading.Thread.Sleep(1));
            }
        }

        using JsonDocument json = JsonDocument.Parse(timeline.ToJson());
        JsonElement[] events = [.. json.RootElement.GetProperty("traceEvents").EnumerateArray()];
        JsonElement outer = Assert.Single(events, e => IsPass(e, "outer"));
        JsonElement inner = Assert.Single(events, e => IsPass(e, "inner"));
        Assert.True(Start(outer) <= Start(inner) && End(inner) <= End(outer));
        Assert.True(outer.GetProperty("args").GetProperty("user_ms").GetDouble() >= 0);

        JsonElement[] work = [.. events.Where(e => Phase(e) == "X" && Thread(e) > 0)];
        Assert.InRange(work.Length, 1, 3);
        Assert.All(work, e => Assert.Equal("inner", e.GetProperty("name").GetString()));
        Assert.All(work, e => Assert.True(Start(inner) <= Start(e) && End(e) <= End(inner)));
        // Each thread has a name of its own, and the memory after each pass is a counter.
        Assert.All(work, e => Assert.Single(events, m => Phase(m) == "M" && Thread(m) == Thread(e)));
        Assert.Equal(2, events.Count(e => Phase(e) == "C"));

        static bool IsPass(JsonElement e, string name) => Phase(e) == "X" && Thread(e) == 0 && e.GetProperty("name").GetString() == name;
        static string? Phase(JsonElement e) => e.GetProperty("ph").GetString();
        static int Thread(JsonElement e) => e.TryGetProperty("tid", out JsonElement tid) ? tid.GetInt32() : -1;
        static double Start(JsonElement e) => e.GetProperty("ts").GetDouble();

        // Times are rounded to nanoseconds.
        static double End(JsonElement e) => Start(e) + e.GetProperty("dur").GetDouble() - 0.002;
    }
}
