using System.Diagnostics;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Accounting;

/// <summary>
/// The account of a link's memory, by pass. The system's figures and the collector's are read when a pass begins, every
/// few milliseconds while it runs, and when it ends; what is mapped, read, copied and allocated is counted where that happens
/// (<see cref="MemoryAccount"/>). Exists only when it is asked for.
/// </summary>
internal sealed class LinkAccount
{
    private static readonly TimeSpan SampleEvery = TimeSpan.FromMilliseconds(2);

    private readonly Lock _lock = new();
    private readonly ManualResetEventSlim _stop = new();
    private readonly Thread _sampler;
    private readonly HostSystem _host = HostSystem.Current;
    private readonly List<PassRecord> _passes = [];
    private readonly Stack<PassRecord> _open = [];
    private MemoryFigures _recent;
    private MemoryFigures _peak;

    /// <summary>Begins the account. From here on <see cref="MemoryAccount.Shared"/> keeps single entries, too.</summary>
    public LinkAccount(AccountRequest request)
    {
        Request = request;
        Account = MemoryAccount.Shared;
        Account.Details ??= new AccountDetails();
        _sampler = new Thread(SampleUntilStopped, maxStackSize: 256 << 10) { IsBackground = true, Name = "memory account" };
        _sampler.Start();
    }

    /// <summary>What was asked for.</summary>
    public AccountRequest Request { get; }

    /// <summary>Where things were counted.</summary>
    public MemoryAccount Account { get; }

    /// <summary>The passes in the order they began.</summary>
    public IReadOnlyList<PassRecord> Passes => _passes;

    /// <summary>The most of each figure over the whole link, sampled; native memory is exact.</summary>
    public MemoryFigures Peak => _peak;

    /// <summary>What the system says when the link is over, its own peak included.</summary>
    public ProcessMemory Process { get; private set; } = new();

    /// <summary>The private copies, the largest first, with the names of their symbols.</summary>
    public IReadOnlyList<(string Symbol, int Bytes)> Copies { get; private set; } = [];

    /// <summary>A pass begins.</summary>
    public void BeginPass(string name)
    {
        lock (_lock)
        {
            Fold();
            var pass = new PassRecord { Name = name, Began = Stopwatch.GetTimestamp(), Counters = Counters.Of(Account), Peak = Sample() };
            _passes.Add(pass);
            _open.Push(pass);
        }
    }

    /// <summary>The pass that began last ends.</summary>
    public void EndPass()
    {
        lock (_lock)
        {
            PassRecord pass = _open.Peek();
            pass.Time = Stopwatch.GetElapsedTime(pass.Began);
            pass.Counters = Counters.Of(Account).Since(pass.Counters);
            Fold();
            pass.End = Sample();
            ByMapKind resident = default;
            if (Account.Details!.TryReadResident(_host, resident))
                pass.Resident = resident;
            _open.Pop();
        }
    }

    /// <summary>Ends the account, while the symbols' names can still be read.</summary>
    public void Close(SymbolTable symbols)
    {
        _stop.Set();
        _sampler.Join();
        Process = _host.MeasureMemory();
        lock (_lock)
            Fold();
        AccountDetails.PrivateCopy[] copies = Account.Details!.Copies();
        Copies = [.. copies.Select(copy => (symbols.NameText(new SymbolId((int)copy.Symbol)), copy.Bytes))];
    }

    private void SampleUntilStopped()
    {
        while (!_stop.Wait(SampleEvery))
        {
            MemoryFigures now = Sample();
            lock (_lock)
                _recent.RaiseTo(now);
        }
    }

    /// <summary>Gives what was seen since the last time to the passes that run.</summary>
    private void Fold()
    {
        _recent.RaiseTo(Sample());
        _recent.Native = Account.TakeRecentNativePeak();
        _peak.RaiseTo(_recent);
        foreach (PassRecord pass in _open)
            pass.Peak.RaiseTo(_recent);
        _recent = default;
    }

    private MemoryFigures Sample()
    {
        ProcessMemory process = _host.MeasureMemory();
        return new MemoryFigures
        {
            Heap = GC.GetTotalMemory(forceFullCollection: false),
            Native = Account.NativeBytes,
            Private = process.Private,
            Resident = process.Resident,
        };
    }
}
