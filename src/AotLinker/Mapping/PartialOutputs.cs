using System.Runtime.InteropServices;

namespace AotLinker.Mapping;

/// <summary>
/// Outputs that have a name while they are incomplete. They are taken away when the process exits without having published
/// them, and on SIGINT, SIGTERM and SIGHUP, which end the process as always. Nothing is hooked while there are none, which
/// is the usual case on Linux: an unnamed file needs no clearing up.
/// </summary>
internal static class PartialOutputs
{
    private static readonly Lock Gate = new();
    private static readonly List<OutputTarget> Targets = [];
    private static PosixSignalRegistration[]? _signals;

    public static void Add(OutputTarget target)
    {
        lock (Gate)
        {
            Targets.Add(target);
            if (_signals is not null)
                return;
            AppDomain.CurrentDomain.ProcessExit += static (_, _) => RemoveAll();
            _signals =
            [
                PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal),
                PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal),
                PosixSignalRegistration.Create(PosixSignal.SIGHUP, OnSignal),
            ];
        }
    }

    public static void Remove(OutputTarget target)
    {
        lock (Gate)
            Targets.Remove(target);
    }

    private static void OnSignal(PosixSignalContext context) => RemoveAll();

    private static void RemoveAll()
    {
        lock (Gate)
        {
            foreach (OutputTarget target in Targets)
                target.RemovePartial();
            Targets.Clear();
        }
    }
}
