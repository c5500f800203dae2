using System.Reflection;
using AotLinker.Mapping;

namespace AotLinker.Tests.Mapping;

public sealed unsafe class MemoryTests
{
    [Fact]
    public void The_managed_heap_works_on_in_large_pages()
    {
        byte[] before = [1, 2, 3];
        HostSystem.Current.PreferLargeHeapPages();
        var kept = new List<byte[]>();
        for (int i = 0; i < 20_000; i++)
        {
            var block = new byte[1 + (i % 2000)];
            Assert.True(block.AsSpan().IndexOfAnyExcept((byte)0) < 0);
            block.AsSpan().Fill((byte)i);
            if (i % 10 == 0)
                kept.Add(block);
        }

        GC.Collect();
        Assert.Equal([1, 2, 3], before);
        for (int i = 0; i < kept.Count; i++)
            Assert.True(kept[i].AsSpan().IndexOfAnyExcept((byte)(i * 10)) < 0);
    }

    [Fact]
    public void An_arena_hands_out_zeroed_aligned_disjoint_memory()
    {
        var account = new MemoryAccount();
        using var arena = new MemoryArena(account);
        var seen = new List<(long From, long To)>();
        var random = new Random(1);
        for (int i = 0; i < 5000; i++)
        {
            int size = random.Next(0, 5000);
            int alignment = 1 << random.Next(0, 7);
            byte* p = arena.Alloc(size, alignment);
            Assert.Equal(0, (long)p % alignment);
            Assert.True(new ReadOnlySpan<byte>(p, size).IndexOfAnyExcept((byte)0) < 0);
            new Span<byte>(p, size).Fill(0xAA);
            seen.Add(((long)p, (long)p + size));
        }

        seen.Sort();
        for (int i = 1; i < seen.Count; i++)
            Assert.True(seen[i - 1].To <= seen[i].From);
        Assert.Equal(arena.Reserved, account.NativeBytes);
    }

    [Fact]
    public void An_arena_serves_threads_at_once_and_returns_everything()
    {
        var account = new MemoryAccount();
        var arena = new MemoryArena(account);
        Parallel.For(0, 64, i =>
        {
            var mine = new List<nint>();
            for (int j = 0; j < 2000; j++)
            {
                long* p = arena.Alloc<long>(4);
                p[0] = p[3] = (i * 2000) + j;
                mine.Add((nint)p);
            }

            for (int j = 0; j < mine.Count; j++)
                Assert.Equal(((i * 2000L) + j, (i * 2000L) + j), (((long*)mine[j])[0], ((long*)mine[j])[3]));
        });
        byte* large = arena.Alloc(50 << 20, 1);
        large[(50 << 20) - 1] = 1;
        Assert.True(account.NativeBytes > 50 << 20);
        arena.Dispose();
        Assert.Equal(0, account.NativeBytes);
        Assert.True(account.NativePeak > 50 << 20);
        Assert.Throws<ObjectDisposedException>(() => (nint)arena.Alloc(1, 1));
    }

    [Fact]
    public void A_column_grows_and_shrinks_with_its_values_and_zeroes()
    {
        var account = new MemoryAccount();
        var column = new NativeArray<int>(10, account);
        for (int i = 0; i < 10; i++)
            column[i] = i + 1;
        column.Resize(1_000_000);
        Assert.Equal(10, column[9]);
        Assert.True(column.Span(10, 999_990).IndexOfAnyExcept(0) < 0);
        column.AsSpan().Fill(7);
        column.Resize(5);
        column.Resize(100_000);
        Assert.Equal(7, column[4]);
        Assert.True(column.Span(5, 99_995).IndexOfAnyExcept(0) < 0);
        column.Resize(0);
        Assert.Equal((0, 0), (column.Length, account.NativeBytes));
        column.Resize(3);
        Assert.Equal(0, column[2]);
        column.Dispose();
        Assert.Equal(0, account.NativeBytes);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(10)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void A_column_checks_its_index(long index)
    {
        using var column = new NativeArray<long>(10);
        Assert.Throws<ArgumentOutOfRangeException>(() => column[index]);
        Assert.Throws<ArgumentOutOfRangeException>(() => column.Span(index, 1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => column.Span(0, 11).Length);
    }

    [LinuxFact]
    public void An_untouched_column_costs_no_memory()
    {
        using var column = new NativeArray<long>(1L << 30);
        column[1 << 29] = 1;
        Assert.InRange(ResidentAround((nuint)(column.Base + (1 << 29))), 1, 64 << 20);
        Assert.Equal(1, column[1 << 29]);
    }

    [LinuxTheory]
    [InlineData(1 << 20)]
    [InlineData((4 << 20) + 12_288)]
    [InlineData(6 << 20)]
    public void What_large_pages_have_no_room_for_is_made_present_and_nothing_else(int bytes)
    {
        var host = new Advised();
        using var table = new NativeArray<byte>(bytes, new MemoryAccount(), host);
        table.PreferLargePages();
        table.MakeRestPresent();
        long end = (long)(table.Base + bytes);
        long from = Math.Max(end / host.LargePageSize * host.LargePageSize, (long)table.Base);
        Assert.Equal(bytes >= host.LargePageSize && from < end ? [(from, end - from)] : [], host.MadePresent);
        Assert.True(table.AsSpan().IndexOfAnyExcept((byte)0) < 0);
        table.AsSpan().Fill(1);
    }

    [Fact]
    public void Read_only_content_is_copied_once_when_it_is_written_and_counted()
    {
        using var scratch = new Scratch();
        using InputFile file = InputFile.Open(scratch.File("a", 100_000));
        var account = new MemoryAccount { Details = new AccountDetails() };
        using var arena = new MemoryArena(account);
        var guard = new ContentGuard(arena, account);

        GuardedContent content = GuardedContent.OfInput(file, 1000, 50);
        Assert.Equal((ContentState.ReadOnly, 50), (content.State, content.Length));
        fixed (byte* p = content.Bytes)
            Assert.True(p == file.Base + 1000);
        Assert.Equal((0, 0L), (account.PrivateCopies, account.PrivateCopyBytes));

        Span<byte> first = GuardedContent.Writable(ref content, guard, symbol: 42);
        Assert.True(first.SequenceEqual(Scratch.Pattern(100_000).AsSpan(1000, 50)));
        first.Fill(9);
        Span<byte> second = GuardedContent.Writable(ref content, guard, symbol: 42);
        Assert.True(first == second);
        Assert.Equal(ContentState.Private, content.State);
        Assert.Equal((1, 50L), (account.PrivateCopies, account.PrivateCopyBytes));
        Assert.Equal([new AccountDetails.PrivateCopy(42, 50)], account.Details.Copies());
        Assert.True(file.Span(0, 100_000).SequenceEqual(Scratch.Pattern(100_000)));
    }

    [Fact]
    public void Content_in_the_output_is_written_in_its_place()
    {
        using var scratch = new Scratch();
        using OutputFile output = OutputFile.Create(scratch["out"], 10_000, OutputOptions.Default);
        var account = new MemoryAccount();
        using var arena = new MemoryArena(account);
        using OutputLease lease = output.Lease(5000, 100);
        lease.Span.Fill(1);
        GuardedContent content = GuardedContent.OfOutput(lease, 10, 20);
        GuardedContent.Writable(ref content, new ContentGuard(arena, account), symbol: 1).Fill(2);
        Assert.Equal((ContentState.Output, 0), (content.State, account.PrivateCopies));
        Assert.True(lease.Span[..10].IndexOfAnyExcept((byte)1) < 0);
        Assert.True(lease.Span.Slice(10, 20).IndexOfAnyExcept((byte)2) < 0);
    }

    /// <summary>
    /// The types of the guarded path and of inputs give no writable span or reference except through
    /// <see cref="GuardedContent.Writable"/>. (A raw pointer can be written through; then the page protection answers.)
    /// </summary>
    [Theory]
    [InlineData(typeof(InputFile))]
    [InlineData(typeof(InputStore))]
    [InlineData(typeof(GuardedContent))]
    [InlineData(typeof(ContentGuard))]
    public void No_other_way_leads_to_a_writable_span(Type type)
    {
        const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        foreach (MethodInfo method in type.GetMethods(All))
        {
            Type result = method.ReturnType;
            bool writable = result == typeof(Span<byte>) || result == typeof(Memory<byte>)
                || (result.IsByRef && !method.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(System.Runtime.InteropServices.InAttribute)));
            Assert.True(!writable || (type == typeof(GuardedContent) && method.Name == nameof(GuardedContent.Writable)), $"{type.Name}.{method.Name}");
        }

        foreach (FieldInfo field in type.GetFields(All))
            Assert.True(field.IsPrivate || field.IsLiteral, $"{type.Name}.{field.Name}");
    }

    // Of the map that an address lies in: other tests run beside, so that the whole process tells nothing.
    private static long ResidentAround(nuint address)
    {
        HostMap around = default;
        Assert.True(HostSystem.Current.VisitMaps((in HostMap map) => around = map.Start <= address && map.Start >= around.Start ? map : around));
        return around.Resident;
    }

    /// <summary>Linux, and which parts of maps it was asked to make present.</summary>
    private sealed class Advised : LinuxHost
    {
        public List<(long From, long Length)> MadePresent { get; } = [];

        public override void Advise(byte* map, long length, MapAdvice advice)
        {
            if (advice == MapAdvice.PresentForWriting)
                MadePresent.Add(((long)map, length));
            base.Advise(map, length, advice);
        }
    }
}
