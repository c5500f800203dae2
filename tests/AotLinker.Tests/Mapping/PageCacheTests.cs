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
    public void A_run_grows_where_it_is_if_what_follows_is_free()
    {
        if (!HostSystem.Current.CanSplitPages || HostSystem.Current.LargePageSize == 0)
            return;

        byte* first = Take(6);
        byte* second = first + (2 * _page);
        new Span<byte>(first, (int)(6 * _page)).Fill(0xAA);
        _cache.Give(second, 3 * _page);
        byte* grown = first;
        Assert.True(_cache.Resize(ref grown, 2 * _page, 4 * _page).IsNone);
        Assert.Equal(((nint)first, _page), ((nint)grown, _cache.Kept));
        Assert.Equal(2 * _page, new ReadOnlySpan<byte>(grown, (int)(4 * _page)).IndexOfAnyExcept((byte)0xAA));
        Assert.True(new ReadOnlySpan<byte>(second, (int)(2 * _page)).IndexOfAnyExcept((byte)0) < 0);

        // One page is free, two are not: it moves, and nothing of the old content comes along behind the copy.
        Assert.True(_cache.Resize(ref grown, 4 * _page, 6 * _page).IsNone);
        Assert.NotEqual((nint)first, (nint)grown);
        Assert.Equal(0xAA, grown[(2 * _page) - 1]);
        Assert.True(new ReadOnlySpan<byte>(grown + (2 * _page), (int)(4 * _page)).IndexOfAnyExcept((byte)0) < 0);
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
    public void Small_runs_are_cut_from_one_large_page()
    {
        long large = HostSystem.Current.LargePageSize;
        if (large == 0)
            return;

        byte* one = Take(1);
        byte* two = Take(2);
        Assert.Equal(0, (long)one % large);
        Assert.Equal((nint)one + (nint)_page, (nint)two);
        Assert.Equal(0, _cache.Kept);

        // A run that is larger than the rest of the large page goes on to the next one.
        byte* wide = Take(large / _page);
        Assert.Equal((nint)two + (nint)(2 * _page), (nint)wide);
        Assert.Equal((nint)wide + (nint)large, (nint)Take(5));
        Assert.Equal(0, _cache.Kept);
    }

    [Fact]
    public void Runs_grow_and_shrink_with_their_content()
    {
        byte* pages = Take(2);
        pages[0] = 1;
        pages[(2 * _page) - 1] = 2;
        long before = 2;
        foreach (long length in (long[])[3, 700, 2000, 900, 2])
        {
            Assert.True(_cache.Resize(ref pages, before * _page, length * _page).IsNone);
            Assert.Equal((1, 2), (pages[0], pages[(2 * _page) - 1]));
            if (length > before)
                Assert.True(new ReadOnlySpan<byte>(pages + (before * _page), (int)((length - before) * _page)).IndexOfAnyExcept((byte)0) < 0);
            before = length;
        }
    }

    [Fact]
    public void More_than_the_capacity_is_kept_only_of_large_pages_in_use()
    {
        long large = HostSystem.Current.LargePageSize;
        if (large == 0)
            return;

        // Of each large page all but one small page is given back, and then that one too.
        int count = (int)(PageCache.Capacity / large) + 3;
        byte*[] slabs = new byte*[count];
        for (int i = 0; i < count; i++)
        {
            slabs[i] = Take(large / _page);
            _cache.Give(slabs[i] + _page, large - _page);
        }

        Assert.Equal(count * (large - _page), _cache.Kept);
        for (int i = 0; i < count; i++)
            _cache.Give(slabs[i], _page);
        Assert.InRange(_cache.Kept, 0, PageCache.Capacity);
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
