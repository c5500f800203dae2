using AotLinker.Mapping;

namespace AotLinker.Tests.Mapping;

public sealed class MappingSmokeTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Written_through_leases_then_read_in_place(bool buffered)
    {
        using var scratch = new Scratch();
        byte[] expected = Scratch.Pattern(300_000);
        using (OutputFile output = OutputFile.Create(scratch["out"], 200_000, new OutputOptions { ForceBuffered = buffered }))
        {
            Assert.Equal(!buffered, output.IsMapped);
            using (OutputLease slice = output.Lease(100_000, 100_000))
                expected.AsSpan(100_000, 100_000).CopyTo(slice.Span);
            using (OutputLease slice = output.Lease(0, 100_000))
                expected.AsSpan(0, 100_000).CopyTo(slice.Span);
            output.Resize(300_000);
            output.Write(200_000, expected.AsSpan(200_000));
            output.Seal();
            Assert.False(File.Exists(scratch["out"]));
            output.Commit();
        }

        using InputFile input = InputFile.Open(scratch["out"]);
        Assert.True(input.IsMapped);
        Assert.True(input.Span(0, 300_000).SequenceEqual(expected));
        Assert.Equal(["out"], Directory.GetFiles(scratch.Root).Select(Path.GetFileName));
    }
}
