using System.Runtime.ExceptionServices;

namespace AotLinker;

/// <summary>
/// The serial part of a parallel loop: handles items in order, each as soon as it and all before it are ready. Whoever makes an item ready
/// handles what there is to handle, unless another thread is at it; so nobody waits, and the last item's thread leaves nothing behind.
/// </summary>
/// <remarks>
/// What handling an item reads and writes needs no lock: the one before has happened before, and so has what made the item ready. If it
/// throws, no item after it is handled. An item that never gets ready is the last word, too.
/// </remarks>
internal sealed class InOrderStage(int count, Action<int> handle)
{
    private readonly bool[] _ready = new bool[count];
    private int _next;
    private int _busy;
    private ExceptionDispatchInfo? _failure;

    /// <summary>Says that an item is ready, once for each, and handles all that can be.</summary>
    public void MakeReady(int item)
    {
        // All exchanges are full fences: either the thread at work sees the item, if only when it has left and looks once more, or it is seen
        // here that it has left.
        Interlocked.Exchange(ref _ready[item], true);
        while (IsReady(Volatile.Read(ref _next)) && Interlocked.Exchange(ref _busy, 1) == 0)
        {
            while (IsReady(_next))
            {
                Handle();
            }
            Interlocked.Exchange(ref _busy, 0);
        }
    }

    /// <summary>Throws what handling an item has thrown. For when the loop is over.</summary>
    public void End() => _failure?.Throw();

    private bool IsReady(int item) => item < count && Volatile.Read(ref _ready[item]);

    private void Handle()
    {
        try
        {
            handle(_next);
            Volatile.Write(ref _next, _next + 1);
        }
        catch (Exception e)
        {
            _failure = ExceptionDispatchInfo.Capture(e);
            Volatile.Write(ref _next, count);
        }
    }
}
