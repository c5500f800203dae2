using AotLinker.Mapping;

namespace AotLinker.Tests.Mapping;

/// <summary>What an output does within one process, on both backings; see OutputProcessTests for the rest.</summary>
public sealed unsafe class OutputFileTests : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly MemoryAccount _account = new();

    public static TheoryData<bool, bool> Backings => new()
    {
        { false, false },
        { false, true },
        { true, false },
        { true, true },
    };

    public void Dispose() => _scratch.Dispose();

    [Theory]
    [MemberData(nameof(Backings))]
    public void Leases_in_any_order_from_many_threads_then_patches_make_the_file(bool buffered, bool named)
    {
        const int Length = 10_000_019;
        const int Block = 70_001;
        byte[] expected = Scratch.Pattern(Length);
        using (OutputFile output = OutputFile.Create(_scratch["out"], Length, Options(buffered, named)))
        {
            Assert.Equal(!buffered, output.IsMapped);
            Parallel.For(0, (Length + Block - 1) / Block, new ParallelOptions { MaxDegreeOfParallelism = 16 }, i =>
            {
                int offset = i * Block;
                using OutputLease lease = output.Lease(offset, Math.Min(Block, Length - offset));
                Assert.Equal((offset, Math.Min(Block, Length - offset)), (lease.Offset, lease.Length));
                Assert.True(lease.Span.IndexOfAnyExcept((byte)0) < 0);
                expected.AsSpan(offset, lease.Length).CopyTo(lease.Span);
            });

            using (OutputLease patch = output.LeasePatch(123_456, 7))
            {
                Assert.True(patch.Span.SequenceEqual(expected.AsSpan(123_456, 7)));
                patch.Span.Fill(0xEE);
            }

            expected.AsSpan(123_456, 7).Fill(0xEE);
            using (OutputLease read = output.LeaseRead(123_450, 1000))
                Assert.True(read.ReadOnlySpan.SequenceEqual(expected.AsSpan(123_450, 1000)));
            byte[] all = new byte[Length];
            output.Read(0, all);
            Assert.Equal(expected, all);
            output.Seal();
            output.Commit();
        }

        Assert.Equal(expected, File.ReadAllBytes(_scratch["out"]));
        Assert.Equal(["out"], Names());
        Assert.Equal(buffered ? 0 : Length, _account.OutputBytesMapped);
        Assert.True(buffered ? _account.OutputBytesWritten >= Length : _account.OutputBytesWritten == 0);
        Assert.InRange(_account.NativePeak, 0, buffered ? OutputFile.BufferBudget : 0);
        Assert.Equal(0, _account.NativeBytes);
    }

    [Theory]
    [MemberData(nameof(Backings))]
    public void The_length_may_grow_and_shrink_and_new_bytes_are_zero(bool buffered, bool named)
    {
        byte[] bytes = Scratch.Pattern(100_000);
        using (OutputFile output = OutputFile.Open(_scratch["out"], Options(buffered, named)))
        {
            Assert.Equal(0, output.Length);
            output.Resize(50_000);
            output.Write(0, bytes.AsSpan(0, 50_000));
            output.Resize(100_000);
            using (OutputLease grown = output.LeasePatch(49_990, 50))
            {
                Assert.True(grown.Span[..10].SequenceEqual(bytes.AsSpan(49_990, 10)));
                Assert.True(grown.Span[10..].IndexOfAnyExcept((byte)0) < 0);
            }

            output.Write(50_000, bytes.AsSpan(50_000));
            output.Resize(70_000);
            output.Resize(80_000);
            output.Commit();
        }

        byte[] result = File.ReadAllBytes(_scratch["out"]);
        Assert.Equal(80_000, result.Length);
        Assert.Equal(bytes[..70_000], result[..70_000]);
        Assert.True(result.AsSpan(70_000).IndexOfAnyExcept((byte)0) < 0);
    }

    [Theory]
    [MemberData(nameof(Backings))]
    public void An_empty_output_is_an_empty_file(bool buffered, bool named)
    {
        using (OutputFile output = OutputFile.Create(_scratch["out"], 0, Options(buffered, named)))
            output.Commit();
        Assert.Empty(File.ReadAllBytes(_scratch["out"]));
    }

    [Theory]
    [MemberData(nameof(Backings))]
    public void Without_commit_nothing_is_left_and_the_old_output_is_gone_as_with_cmd_link(bool buffered, bool named)
    {
        File.WriteAllText(_scratch["out"], "old");
        using (OutputFile output = OutputFile.Create(_scratch["out"], 100_000, Options(buffered, named)))
        {
            Assert.False(File.Exists(_scratch["out"]));
            output.Write(0, Scratch.Pattern(5000));
        }

        Assert.Empty(Names());
    }

    [LinuxFact]
    public void A_large_old_output_has_given_its_space_back_when_that_of_the_new_one_is_reserved()
    {
        string path = _scratch.File("out", 6 << 20);
        using OutputFile output = OutputFile.Open(path, Options(buffered: false, named: false));
        Assert.False(File.Exists(path));
        output.Resize(100_000);
        Assert.DoesNotContain(
            Directory.GetFiles("/proc/self/fd"),
            descriptor => new FileInfo(descriptor).LinkTarget?.StartsWith(path, StringComparison.Ordinal) == true);
        output.Commit();
        Assert.Equal(100_000, new FileInfo(path).Length);
    }

    [LinuxFact]
    public void A_link_is_held_for_itself()
    {
        File.CreateSymbolicLink(_scratch["link"], _scratch["nowhere"]);
        Assert.True(HostSystem.Current.TryHold(_scratch["link"], out HostFile held));
        Assert.True(HostSystem.Current.Close(held).IsNone);
        Assert.False(HostSystem.Current.TryHold(_scratch["nowhere"], out _));
    }

    [Theory]
    [MemberData(nameof(Backings))]
    public void A_file_that_appeared_meanwhile_is_replaced(bool buffered, bool named)
    {
        using (OutputFile output = OutputFile.Create(_scratch["out"], 100_000, Options(buffered, named)))
        {
            output.Write(0, Scratch.Pattern(100_000));
            File.WriteAllText(_scratch["out"], "another link was faster");
            output.Commit();
        }

        Assert.Equal(Scratch.Pattern(100_000), File.ReadAllBytes(_scratch["out"]));
        Assert.Equal(["out"], Names());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Misuse_is_refused(bool buffered)
    {
        using OutputFile output = OutputFile.Create(_scratch["out"], 10 << 20, Options(buffered, false));
        Assert.Throws<ArgumentOutOfRangeException>(() => output.Lease(0, OutputFile.MaxLease + 1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => output.Lease(10 << 20, 1).Length);
        Assert.Throws<ArgumentOutOfRangeException>(() => output.Lease(-1, 1).Length);
        using (output.Lease(0, 10))
        {
            Assert.Throws<InvalidOperationException>(() => output.Lease(100, 1).Length);
            Assert.Throws<InvalidOperationException>(() => output.Resize(5));
            Assert.Throws<InvalidOperationException>(output.Seal);
            Assert.Throws<InvalidOperationException>(output.Commit);
        }

        output.Seal();
        Assert.Throws<InvalidOperationException>(() => output.Lease(0, 1).Length);
        Assert.Throws<InvalidOperationException>(() => output.LeasePatch(0, 1).Length);
        Assert.Throws<InvalidOperationException>(() => output.Write(0, [1]));
        Assert.Throws<InvalidOperationException>(() => output.Resize(1));
        using (OutputLease read = output.LeaseRead(0, 1))
        {
            bool refused = false;
            try
            {
                read.Span[0] = 1;
            }
            catch (InvalidOperationException)
            {
                refused = true;
            }

            Assert.True(refused);
        }

        output.Commit();
        Assert.Throws<ObjectDisposedException>(() => output.Lease(0, 1).Length);
    }

    [LinuxFact]
    public void A_sealed_output_is_read_only_memory()
    {
        using OutputFile output = OutputFile.Create(_scratch["out"], 100_000, Options(false, false));
        Assert.Equal("rw-s", InputFileTests.MapAt(output.Base));
        output.Seal();
        Assert.Equal("r--s", InputFileTests.MapAt(output.Base));

        Driver.Result stray = Driver.Run("stray-write-sealed", _scratch["other"]);
        Assert.NotEqual(0, stray.ExitCode);
        Assert.DoesNotContain("written", stray.Output, StringComparison.Ordinal);
        Assert.Empty(Names());
    }

    [LinuxTheory]
    [InlineData(1)]  // EPERM
    [InlineData(22)] // EINVAL
    [InlineData(38)] // ENOSYS
    [InlineData(95)] // EOPNOTSUPP, ENOTSUP
    public void A_file_system_that_can_not_reserve_space_is_no_obstacle(int errno)
    {
        var host = new Moody { OnPreallocate = new HostError(errno) };
        Write(new OutputOptions { Host = host, Account = _account });
        Assert.Equal(Scratch.Pattern(100_000), File.ReadAllBytes(_scratch["out"]));
        Assert.Equal(100_000, _account.OutputBytesMapped);
    }

    [LinuxTheory]
    [InlineData(28, "no space left on device")]
    [InlineData(27, "file too large")]
    [InlineData(122, "disk quota exceeded")]
    public void No_room_while_reserving_is_an_error_with_nothing_left(int errno, string text)
    {
        var host = new Moody { OnPreallocate = new HostError(errno) };
        LinkException e = Assert.Throws<LinkException>(() => Write(new OutputOptions { Host = host }));
        Assert.Equal($"mapping output file failed: fallocate {_scratch["out"]}: {text}", e.Message);
        Assert.Empty(Names());
    }

    [LinuxFact]
    public void No_room_that_could_not_be_reserved_is_foreseen()
    {
        var host = new Moody { OnPreallocate = new HostError(95), Free = 99_999 };
        LinkException e = Assert.Throws<LinkException>(() => Write(new OutputOptions { Host = host }));
        Assert.Equal($"mapping output file failed: fallocate {_scratch["out"]}: no space left on device", e.Message);
        Assert.Empty(Names());
    }

    [LinuxFact]
    public void In_memory_nothing_is_reserved_but_room_is_asked_for()
    {
        Write(new OutputOptions { Host = new Moody { InMemory = true, OnPreallocate = new HostError(5) } });
        Assert.Equal(Scratch.Pattern(100_000), File.ReadAllBytes(_scratch["out"]));
        Assert.Throws<LinkException>(() => Write(new OutputOptions { Host = new Moody { InMemory = true, Free = 10 } }));
    }

    [LinuxTheory]
    [InlineData(12)] // ENOMEM: address space
    [InlineData(19)] // ENODEV: no maps on this file system
    [InlineData(22)] // EINVAL: no shared maps
    public void A_refused_map_means_buffers_and_the_same_bytes(int errno)
    {
        Write(new OutputOptions { Host = new Moody { OnMapOutput = new HostError(errno) }, Account = _account });
        Assert.Equal(Scratch.Pattern(100_000), File.ReadAllBytes(_scratch["out"]));
        Assert.Equal((0L, 100_000L), (_account.OutputBytesMapped, _account.OutputBytesWritten));
    }

    [LinuxFact]
    public void A_map_that_can_not_grow_becomes_buffers_and_keeps_its_content()
    {
        byte[] bytes = Scratch.Pattern(100_000);
        using (OutputFile output = OutputFile.Create(_scratch["out"], 50_000, new OutputOptions { Host = new Moody { OnRemapOutput = new HostError(12) } }))
        {
            output.Write(0, bytes.AsSpan(0, 50_000));
            Assert.True(output.IsMapped);
            output.Resize(100_000);
            Assert.False(output.IsMapped);
            using (OutputLease lease = output.Lease(50_000, 50_000))
                bytes.AsSpan(50_000).CopyTo(lease.Span);
            output.Commit();
        }

        Assert.Equal(bytes, File.ReadAllBytes(_scratch["out"]));
    }

    [LinuxFact]
    public void A_failed_write_of_a_lease_is_thrown_by_the_next_call()
    {
        var host = new Moody { OnWriteAt = HostSystem.Current.NoSpace };
        using (OutputFile output = OutputFile.Create(_scratch["out"], 100_000, new OutputOptions { Host = host, ForceBuffered = true }))
        {
            output.Lease(0, 10).Dispose();
            string expected = $"write {_scratch["out"]}: no space left on device";
            Assert.Equal(expected, Assert.Throws<LinkException>(() => output.Lease(0, 10).Length).Message);
            Assert.Equal(expected, Assert.Throws<LinkException>(output.Commit).Message);
        }

        Assert.Empty(Names());
    }

    [LinuxFact]
    public void Where_unnamed_files_are_unknown_a_temporary_one_serves_and_goes()
    {
        var host = new Moody { OnCreateUnnamed = new HostError(95) };
        using (OutputFile output = OutputFile.Create(_scratch["out"], 10, new OutputOptions { Host = host }))
            Assert.StartsWith(".aotlink-", Assert.Single(Names()), StringComparison.Ordinal);
        Assert.Empty(Names());
        Write(new OutputOptions { Host = host });
        Assert.Equal(["out"], Names());
    }

    [LinuxFact]
    public void An_unnamed_file_that_may_not_be_named_is_copied_to_one_that_has_a_name()
    {
        File.CreateSymbolicLink(_scratch["out"], "real");
        Write(new OutputOptions { Host = new Moody { OnPublishUnnamed = new HostError(13) } });
        Assert.Equal(Scratch.Pattern(100_000), File.ReadAllBytes(_scratch["real"]));
        Assert.Equal(["out", "real"], Names().Order());

        var full = new Moody { OnPublishUnnamed = new HostError(13), OnWriteAt = HostSystem.Current.NoSpace };
        LinkException e = Assert.Throws<LinkException>(() => Write(new OutputOptions { Host = full }));
        Assert.Equal($"link {_scratch["out"]}: permission denied", e.Message);
        Assert.Equal(["out", "real"], Names().Order());
    }

    [LinuxFact]
    public void Forgotten_parts_leave_the_process_and_stay_in_the_file()
    {
        const int Part = 1 << 20;
        byte[] bytes = Scratch.Pattern(8 * Part);
        using (OutputFile output = OutputFile.Create(_scratch["out"], bytes.Length, Options(false, true)))
        {
            for (int i = 0; i < 8; i++)
            {
                using OutputLease lease = output.Lease(i * Part, Part);
                bytes.AsSpan(i * Part, Part).CopyTo(lease.Span);
            }
            string path = Assert.Single(Directory.GetFiles(_scratch.Root));
            Assert.Equal(8 * 1024, InputFileTests.ResidentKilobytes(path));
            for (int i = 0; i < 8; i++)
                output.Forget(i * Part, Part);
            // The last two large pages may have neighbours that are still written.
            Assert.Equal(4 * 1024, InputFileTests.ResidentKilobytes(path));
            output.Commit();
        }

        Assert.Equal(bytes, File.ReadAllBytes(_scratch["out"]));
    }

    [LinuxFact]
    public void Fewer_buffers_than_threads_must_do_and_none_is_an_error()
    {
        foreach (int buffers in (int[])[1, 2])
        {
            byte[] bytes = Scratch.Pattern(3 << 20);
            var host = new Moody { MostPages = buffers };
            using (OutputFile output = OutputFile.Create(_scratch["out"], bytes.Length, new OutputOptions { Host = host, Account = _account, ForceBuffered = true }))
            {
                Parallel.For(0, 48, new ParallelOptions { MaxDegreeOfParallelism = 8 }, i =>
                {
                    using OutputLease lease = output.Lease(i << 16, 1 << 16);
                    bytes.AsSpan(i << 16, 1 << 16).CopyTo(lease.Span);
                });
                output.Commit();
            }

            Assert.Equal(bytes, File.ReadAllBytes(_scratch["out"]));
        }

        using OutputFile without = OutputFile.Create(_scratch["out"], 100, new OutputOptions { Host = new Moody { MostPages = 0 }, Account = _account, ForceBuffered = true });
        LinkException failure = Assert.Throws<LinkException>(() => without.Lease(0, 100).Dispose());
        Assert.Equal("allocating a write buffer failed: cannot allocate memory", failure.Message);
    }

    /// <summary>Where fresh pages of the map are dear, what is relocated goes beside it, too, but for the first parts; where writes are, none but those.</summary>
    [LinuxTheory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void What_is_relocated_goes_where_it_is_cheaper(bool dearPages, bool alwaysInMap)
    {
        const int Part = 100_000;
        const int Parts = 40;
        const int Trials = 4;
        byte[] bytes = Scratch.Pattern(Parts * Part);
        var host = new Dear(dearPages);
        using (OutputFile output = OutputFile.Create(_scratch["out"], bytes.Length, new OutputOptions { Host = host, Account = _account, AlwaysInMap = alwaysInMap }))
        {
            // One after the other until the way is decided: meanwhile others would go on in the map.
            for (int i = 0; i < Trials; i++)
                Put(i);
            Parallel.For(Trials, Parts, new ParallelOptions { MaxDegreeOfParallelism = 4 }, Put);
            Assert.True(output.IsMapped);
            output.Commit();

            void Put(int i)
            {
                using OutputLease lease = output.Lease(i * Part, Part);
                Assert.True(lease.Span.IndexOfAnyExcept((byte)0) < 0);
                bytes.AsSpan(i * Part, Part).CopyTo(lease.Span);
            }
        }

        Assert.Equal(bytes, File.ReadAllBytes(_scratch["out"]));
        Assert.Equal(alwaysInMap ? 0 : dearPages ? Parts - (Trials / 2) : Trials / 2, host.Writes);
    }

    private OutputOptions Options(bool buffered, bool named) => new() { ForceBuffered = buffered, AlwaysInMap = true, ForceNamed = named, Account = _account };

    /// <summary>What is made goes beside the map where that is better, between parts that go into it and in the same pages as they.</summary>
    [Theory]
    [MemberData(nameof(Backings))]
    public void Made_parts_and_others_make_one_file(bool buffered, bool named)
    {
        const int Length = 9_000_011;
        const int Block = 100_003;
        byte[] expected = Scratch.Pattern(Length);
        using (OutputFile output = OutputFile.Create(_scratch["out"], Length, Options(buffered, named)))
        {
            Parallel.For(0, (Length + Block - 1) / Block, new ParallelOptions { MaxDegreeOfParallelism = 40 }, i =>
            {
                int offset = i * Block;
                int length = Math.Min(Block, Length - offset);
                using OutputLease lease = i % 2 == 0 ? output.LeaseMade(offset, length) : output.Lease(offset, length);
                Assert.True(lease.Span.IndexOfAnyExcept((byte)0) < 0);
                expected.AsSpan(offset, length).CopyTo(lease.Span);
            });
            Assert.Equal(buffered ? Length : WritesBesideMap() ? Block * 45L : 0, _account.OutputBytesWritten);

            // Larger than the buffers, and smaller than is worth one.
            using (OutputLease lease = output.LeaseMade(1000, OutputFile.MaxMade + 1))
                expected.AsSpan(1000, lease.Length).CopyTo(lease.Span);
            using (OutputLease lease = output.LeaseMade(500, 7))
                expected.AsSpan(500, 7).CopyTo(lease.Span);
            output.Write(777_777, expected.AsSpan(777_777, 200_000));
            output.Seal();
            using (OutputLease read = output.LeaseRead(4_000_000, OutputFile.MaxMade))
                Assert.True(read.ReadOnlySpan.SequenceEqual(expected.AsSpan(4_000_000, OutputFile.MaxMade)));
            output.Commit();
        }

        Assert.Equal(expected, File.ReadAllBytes(_scratch["out"]));
    }

    [LinuxFact]
    public void A_file_that_is_no_output_is_not_executable()
    {
        Assert.True(HostSystem.Current.WriteWholeFile(_scratch["report"], "text"u8).IsNone);
        Assert.Equal("text", File.ReadAllText(_scratch["report"]));
        Assert.True(HostSystem.Current.FactsAt(_scratch["report"], follow: false, out FileFacts facts).IsNone);
        Assert.Equal(0x80u, facts.Permissions & 0xC9); // the owner may write it, nobody run it
    }

    [Theory]
    [MemberData(nameof(Backings))]
    public void The_end_may_be_written_before_the_length_is_known(bool buffered, bool named)
    {
        const int Length = 3_000_017;
        const int Ahead = 2_000_003;
        byte[] expected = Scratch.Pattern(Length);
        using (OutputFile output = OutputFile.Open(_scratch["out"], Options(buffered, named)))
        {
            output.WriteAhead(Ahead + 500_000, expected.AsSpan(Ahead + 500_000, 300_000));
            output.WriteAhead(Ahead, expected.AsSpan(Ahead, 500_000));
            output.WriteAhead(Length - 10, new byte[100]); // taken back by the length
            output.Resize(Length);
            using (OutputLease rest = output.LeaseMade(Ahead + 800_000, Length - Ahead - 800_000))
                expected.AsSpan(Ahead + 800_000).CopyTo(rest.Span);
            using (OutputLease lease = output.Lease(0, Ahead))
                expected.AsSpan(0, Ahead).CopyTo(lease.Span);
            output.Commit();
        }

        Assert.Equal(expected, File.ReadAllBytes(_scratch["out"]));
    }

    [LinuxFact]
    public void A_full_disk_is_the_same_error_for_the_end_that_is_written_first()
    {
        foreach (Moody host in (Moody[])[new() { OnPreallocate = new HostError(28) }, new() { OnWriteAt = new HostError(28) }])
        {
            using OutputFile output = OutputFile.Open(_scratch["out"], new OutputOptions { Host = host });
            LinkException e = Assert.Throws<LinkException>(() => output.WriteAhead(1 << 20, new byte[100]));
            Assert.Equal($"mapping output file failed: fallocate {_scratch["out"]}: no space left on device", e.Message);
        }
        // In memory nothing is reserved: the rest must fit beside what was written first.
        var small = new Moody { InMemory = true, Free = 1_000_000 };
        using (OutputFile output = OutputFile.Open(_scratch["out"], new OutputOptions { Host = small }))
        {
            output.WriteAhead(800_000, new byte[100_000]);
            LinkException e = Assert.Throws<LinkException>(() => output.Resize(1_100_001));
            Assert.Equal($"mapping output file failed: fallocate {_scratch["out"]}: no space left on device", e.Message);
            output.Resize(1_100_000);
            output.Resize(2_000_000);
        }
        // Also if what was written first reaches to the end.
        small = new Moody { InMemory = true, Free = 1_000_000 };
        using (OutputFile output = OutputFile.Open(_scratch["out"], new OutputOptions { Host = small }))
        {
            output.WriteAhead(900_000, new byte[100_000]);
            small.Free = 899_999;
            LinkException e = Assert.Throws<LinkException>(() => output.Resize(1_000_000));
            Assert.Equal($"mapping output file failed: fallocate {_scratch["out"]}: no space left on device", e.Message);
            small.Free = 900_000;
            output.Resize(1_000_000);
        }
        Assert.Empty(Names());
    }

    private bool WritesBesideMap()
    {
        string path = Path.Combine(_scratch.Root, "other");
        File.WriteAllBytes(path, [1]);
        Assert.True(HostSystem.Current.OpenInput(path, out HostFile file).IsNone);
        bool result = HostSystem.Current.WritesBesideMap(file);
        Assert.True(HostSystem.Current.Close(file).IsNone);
        File.Delete(path);
        return result;
    }

    private string[] Names() => [.. Directory.GetFileSystemEntries(_scratch.Root).Select(p => Path.GetFileName(p))];

    private void Write(OutputOptions options)
    {
        using OutputFile output = OutputFile.Create(_scratch["out"], 100_000, options);
        using (OutputLease lease = output.Lease(0, 100_000))
            Scratch.Pattern(100_000).CopyTo(lease.Span);
        output.Commit();
    }

    [LinuxTheory]
    [InlineData(1 << 20, false)]
    [InlineData(2 << 20, true)]
    [InlineData(64 << 20, true)]
    [InlineData((64 << 20) + 1, false)]
    public void Outputs_of_middling_size_are_mapped_in_large_pages(int length, bool expected)
    {
        var host = new Advised();
        using (OutputFile output = OutputFile.Create(_scratch["out"], length, new OutputOptions { Host = host }))
        {
            Assert.True(output.IsMapped);
            Assert.Equal(expected, host.Asked.Contains((MapAdvice.LargePages, length)));
        }
    }

    /// <summary>Linux, and what it was asked for.</summary>
    private sealed class Advised : LinuxHost
    {
        public List<(MapAdvice Advice, long Length)> Asked { get; } = [];

        public override void Advise(byte* map, long length, MapAdvice advice)
        {
            Asked.Add((advice, length));
            base.Advise(map, length, advice);
        }
    }

    /// <summary>One of the two ways takes much longer than a thread is interrupted for.</summary>
    private sealed class Dear(bool pages) : LinuxHost
    {
        private int _writes;

        public int Writes => _writes;

        public override bool WritesBesideMap(HostFile file) => true;

        public override void Advise(byte* map, long length, MapAdvice advice)
        {
            if (pages && advice == MapAdvice.PresentForWriting)
                Thread.Sleep(40);
            base.Advise(map, length, advice);
        }

        public override HostError WriteAt(HostFile file, long offset, byte* buffer, long count)
        {
            Interlocked.Increment(ref _writes);
            if (!pages)
                Thread.Sleep(40);
            return base.WriteAt(file, offset, buffer, count);
        }
    }

    /// <summary>Linux with one thing out of order.</summary>
    private sealed class Moody : LinuxHost
    {
        private int _pages;

        public HostError? OnPreallocate { get; init; }

        public HostError OnMapOutput { get; init; }

        public HostError OnRemapOutput { get; init; }

        public HostError OnWriteAt { get; init; }

        public HostError OnCreateUnnamed { get; init; }

        public HostError OnPublishUnnamed { get; init; }

        public long? Free { get; set; }

        /// <summary>How often it gives memory.</summary>
        public int MostPages { get; init; } = int.MaxValue;

        public bool InMemory { get; init; }

        public override HostError Preallocate(HostFile file, long offset, long length) =>
            OnPreallocate ?? base.Preallocate(file, offset, length);

        public override HostError FreeSpace(HostFile file, out long free, out bool inMemory)
        {
            HostError error = base.FreeSpace(file, out free, out inMemory);
            free = Free ?? free;
            inMemory = InMemory; // whatever /tmp is here
            return error;
        }

        public override HostError MapOutput(HostFile file, long length, out byte* map)
        {
            map = null;
            return OnMapOutput.IsError ? OnMapOutput : base.MapOutput(file, length, out map);
        }

        public override HostError RemapOutput(HostFile file, ref byte* map, long oldLength, long newLength) =>
            OnRemapOutput.IsError ? OnRemapOutput : base.RemapOutput(file, ref map, oldLength, newLength);

        public override HostError WriteAt(HostFile file, long offset, byte* buffer, long count) =>
            OnWriteAt.IsError ? OnWriteAt : base.WriteAt(file, offset, buffer, count);

        public override HostError PublishUnnamed(HostFile file, string path) =>
            OnPublishUnnamed.IsError ? OnPublishUnnamed : base.PublishUnnamed(file, path);

        public override HostError AllocatePages(long length, out byte* pages)
        {
            pages = null;
            return Interlocked.Increment(ref _pages) > MostPages ? new HostError(12) : base.AllocatePages(length, out pages);
        }

        public override HostError CreateUnnamed(string directory, out HostFile file)
        {
            file = HostFile.None;
            return OnCreateUnnamed.IsError ? OnCreateUnnamed : base.CreateUnnamed(directory, out file);
        }
    }
}
