namespace AotLinker.Mapping;

/// <summary>
/// A lock without an object, for places in native memory: for a few instructions that two threads hardly ever want at once. A default value is
/// open; it is not to be entered twice by one thread.
/// </summary>
internal struct SpinGate
{
    private int _taken;

    /// <summary>Waits until nobody is inside, and enters.</summary>
    public void Enter()
    {
        var spin = default(SpinWait);
        while (Interlocked.CompareExchange(ref _taken, 1, 0) != 0)
            spin.SpinOnce();
    }

    /// <summary>Leaves; what was written inside is seen by who enters next.</summary>
    public void Exit() => Volatile.Write(ref _taken, 0);
}
