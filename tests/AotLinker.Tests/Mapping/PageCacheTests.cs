using AotLinker.Mapping;

namespace AotLinker.Tests.Mapping;

public sealed unsafe class PageCacheTests
{
    private readonly long _page = HostSystem.Current.PageSize;
    private readonly PageCache _cache = new(HostSystem.Current);

    [Fact]
    public void Pages_come_back_cleared_and_are_split_and_joined()
    {
        if (!HostSystem.Current.CanSplitPages)
            return; // such a host's pages go back to it at once: the next test

        byte* four = Take(4);
        new Span<byte>(four, (int)(4 * _page)).Fill(0xAA);
        _cache.Give(four, 4 * _page);
        Assert.Equal(4 * _page, _cache.Kept);

        byte* one = Take(1);
        byte* three = Take(3);
        Assert.Equal((0, (nint)four, (nint)four + (nint)_page), (_cache.Kept, (nint)one, (nint)three));
        Assert.True(new ReadOnlySpan<byte>(four, (int)(4 * _page)).IndexOfAnyExcept((byte)0) < 0);

        _cache.Give(three, 3 * _page);
        _cache.Give(one, _page);
        Assert.Equal((nint)four, (nint)Take(4));
        Assert.Equal(0, _cache.Kept);
    }

    [Fact]
    public void The_smallest_run_that_fits_is_taken()
    {
        if (!HostSystem.Current.CanSplitPages)
            return;

        byte* eight = Take(8);
        _cache.Give(eight, 5 * _page);
        _cache.Give(eight + (6 * _page), 2 * _page);
        Assert.Equal((nint)eight + (nint)(6 * _page), (nint)Take(2));
        Assert.Equal((nint)eight, (nint)Take(3));
        HostSystem.Current.FreePages(eight, 8 * _page);
    }

    [Fact]
    public void Joined_pages_that_the_system_sees_apart_can_grow()
    {
        if (!HostSystem.Current.CanSplitPages)
            return;

        byte* pages = Take(4);
        HostSystem.Current.Advise(pages + (2 * _page), 2 * _page, MapAdvice.LargePages); // makes two maps of one on Linux
        pages[0] = 1;
        pages[(4 * _page) - 1] = 2;
        Assert.True(HostSystem.Current.ResizePages(ref pages, 4 * _page, 8 * _page).IsNone);
        Assert.Equal((1, 2, 0), (pages[0], pages[(4 * _page) - 1], pages[4 * _page]));
        HostSystem.Current.FreePages(pages, 8 * _page);
    }

    [Fact]
    public void What_is_too_much_goes_back_to_the_system()
    {
        byte* large = Take((PageCache.Capacity / _page) + 1);
        large[0] = 1;
        _cache.Give(large, PageCache.Capacity + _page);
        Assert.Equal(0, _cache.Kept);
    }

    private byte* Take(long pages)
    {
        Assert.True(_cache.Take(pages * _page, out byte* p).IsNone);
        return p;
    }
}
