using AotLinker.Mapping;

namespace AotLinker.Tests.Mapping;

public sealed unsafe class PagePresenceTests : IDisposable
{
    private const long Piece = 1 << 20;
    private const int Pieces = 12;

    private readonly Told _host = new();
    private readonly byte* _memory;

    public PagePresenceTests()
    {
        Assert.True(HostSystem.Current.AllocatePages(Pieces * Piece, out byte* memory).IsNone);
        _memory = memory;
    }

    public void Dispose() => HostSystem.Current.FreePages(_memory, Pieces * Piece);

    [LinuxFact]
    public void Where_requests_are_dear_all_but_the_trials_is_left_to_faults()
    {
        _host.OnPresent = static () => Thread.Sleep(20);
        PagePresence pages = new(_host);
        MakeAll(pages);
        Assert.True(pages.LeavesToFaults);
        Assert.Equal(2, _host.Requests);
    }

    [LinuxFact]
    public void Where_requests_are_cheap_all_but_the_trials_is_asked_for()
    {
        PagePresence pages = new(_host);
        MakeAll(pages);
        Assert.False(pages.LeavesToFaults);
        Assert.Equal(Pieces - 2, _host.Requests);
    }

    [LinuxFact]
    public void Where_nobody_knows_what_a_fault_brings_all_is_asked_for()
    {
        _host.Neighbourhood = _host.PageSize;
        _host.OnPresent = static () => Thread.Sleep(2);
        PagePresence pages = new(_host);
        MakeAll(pages);
        Assert.False(pages.LeavesToFaults);
        Assert.Equal(Pieces, _host.Requests);
    }

    private void MakeAll(PagePresence pages)
    {
        for (int i = 0; i < Pieces; i++)
            pages.Make(_memory + (i * Piece), Piece);
    }

    /// <summary>Counts requests instead of doing them.</summary>
    private sealed class Told : LinuxHost
    {
        public int Requests { get; private set; }

        public Action? OnPresent { get; set; }

        public long Neighbourhood { get; set; } = 8 << 10;

        public override long MappedAroundFault => Neighbourhood;

        public override void Advise(byte* map, long length, MapAdvice advice)
        {
            Requests += advice == MapAdvice.Present ? 1 : 0;
            OnPresent?.Invoke();
        }
    }
}
