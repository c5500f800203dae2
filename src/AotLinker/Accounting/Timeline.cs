using System.Diagnostics;
using System.Globalization;
using System.Text;
using AotLinker.Mapping;

namespace AotLinker.Accounting;

/// <summary>
/// When each pass ran, which threads had work in its parallel loops, and what memory it left: as JSON that trace viewers open
/// (chrome://tracing, Perfetto; format: "Trace Event Format"). Each pass has its own processor time, of all threads, beside it, so that
/// passes that leave threads idle are seen at a glance.
/// </summary>
internal sealed class Timeline
{
    private readonly long _origin = Stopwatch.GetTimestamp();
    private readonly Lock _lock = new();
    private readonly List<Event> _events = [];
    private readonly Stack<(string Name, long Start, Environment.ProcessCpuUsage Cpu)> _open = new();

    private readonly record struct Event(string Name, int Thread, long Start, long End, double UserMs, double SystemMs, ProcessMemory Memory);

    /// <summary>A time to give back to <see cref="AddWork"/>.</summary>
    public static long Now => Stopwatch.GetTimestamp();

    /// <summary>A pass begins, within another or on its own.</summary>
    public void BeginPass(string name) => _open.Push((name, Now, Cpu()));

    /// <summary>The pass that began last is over.</summary>
    public void EndPass()
    {
        (string name, long start, Environment.ProcessCpuUsage before) = _open.Pop();
        long end = Now;
        Environment.ProcessCpuUsage after = Cpu();
        ProcessMemory memory = HostSystem.Current.MeasureMemory();
        lock (_lock)
        {
            _events.Add(new Event(
                name, 0, start, end, (after.UserTime - before.UserTime).TotalMilliseconds, (after.PrivilegedTime - before.PrivilegedTime).TotalMilliseconds, memory));
        }
    }

    /// <summary>A thread's part of a parallel loop, from <paramref name="start"/> to now. Called by any thread.</summary>
    /// <param name="worker">Number of the worker, from 0 on.</param>
    /// <param name="start">When it began.</param>
    public void AddWork(int worker, long start)
    {
        long end = Now;
        lock (_lock)
        {
            _events.Add(new Event(_open.TryPeek(out var pass) ? pass.Name : "work", worker + 1, start, end, 0, 0, default));
        }
    }

    /// <summary>The timeline so far.</summary>
    public byte[] ToJson()
    {
        StringBuilder json = new("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n");
        Append(json, $"{{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":0,\"args\":{{\"name\":\"passes\"}}}}");
        int workers = 0;
        lock (_lock)
        {
            foreach (Event e in _events)
            {
                for (; workers < e.Thread; workers++)
                {
                    Append(json, $",\n{{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":1,\"tid\":{workers + 1},\"args\":{{\"name\":\"worker {workers}\"}}}}");
                }
                Append(json, $",\n{{\"name\":\"{e.Name}\",\"ph\":\"X\",\"pid\":1,\"tid\":{e.Thread},\"ts\":{Microseconds(e.Start - _origin):F3},\"dur\":{Microseconds(e.End - e.Start):F3}");
                if (e.Thread != 0)
                {
                    json.Append('}');
                    continue;
                }
                Append(json, $",\"args\":{{\"user_ms\":{e.UserMs:F1},\"system_ms\":{e.SystemMs:F1}}}}}");
                Append(json, $",\n{{\"name\":\"memory\",\"ph\":\"C\",\"pid\":1,\"ts\":{Microseconds(e.End - _origin):F3},\"args\":{{\"private\":{e.Memory.Private},\"files\":{e.Memory.FileBacked}}}}}");
            }
        }
        json.Append("\n]}\n");
        return Encoding.UTF8.GetBytes(json.ToString());
    }

    private static void Append(StringBuilder json, FormattableString text) => json.Append(text.ToString(CultureInfo.InvariantCulture));

    private static Environment.ProcessCpuUsage Cpu() =>
        OperatingSystem.IsIOS() || OperatingSystem.IsTvOS() || OperatingSystem.IsBrowser() ? default : Environment.CpuUsage;

    private static double Microseconds(long ticks) => ticks * 1e6 / Stopwatch.Frequency;
}
