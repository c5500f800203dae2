using AotLinker.Explain;

namespace AotLinker.Tests.Explain;

public class FileMapTests
{
    private readonly List<(int Package, SizeKind Kind, long Bytes)> _counted = [];
    private readonly List<(long Offset, long Length)> _gaps = [];

    [Fact]
    public void EachByteCountsOnceAndGapsAreNamed()
    {
        using FileMap map = new();
        map.Table("header", SizeKind.Headers, 0, 10);
        map.Memory(0x1000, 100, 20);
        Assert.Equal(30, map.AddMemory(0x1000, 30, 2, SizeKind.Text));
        // It begins in what was told before, and the file ends before it does.
        map.Add(45, 10, 3, SizeKind.Data);
        map.Add(110, 50, 4, SizeKind.Data);
        Sum(map, 130);
        Assert.Equal(
            [
                (0, SizeKind.Headers, 10), (0, SizeKind.Padding, 10), (2, SizeKind.Text, 30), (3, SizeKind.Data, 5), (0, SizeKind.Padding, 55), (4, SizeKind.Data, 20),
            ],
            _counted);
        Assert.Equal([(10, 10), (55, 55)], _gaps);
    }

    [Fact]
    public void WhatIsNoPaddingIsToldApart()
    {
        using FileMap map = new();
        map.Add(4, 4, 2, SizeKind.Data);
        map.Sum(12, (offset, _) => offset == 0, (package, kind, bytes) => _counted.Add((package, kind, bytes)));
        Assert.Equal([(0, SizeKind.Padding, 4), (2, SizeKind.Data, 4), (0, SizeKind.Unexplained, 4)], _counted);
    }

    // As where runs of zeros are left out: a symbol may be in several pieces, or partly in none.
    [Fact]
    public void MemoryMayBeInPieces()
    {
        using FileMap map = new();
        map.Memory(300, 10, 70);
        map.Memory(100, 50, 0);
        map.Memory(200, 20, 50);
        Assert.Equal(10 + 20 + 5, map.AddMemory(140, 165, 2, SizeKind.Data));
        Assert.Equal(35, map.InFile(140, 165));
        Assert.Equal(0, map.AddMemory(150, 50, 3, SizeKind.Data));
        Assert.Equal(0, map.AddMemory(500, 50, 3, SizeKind.Data));
        Sum(map, 80);
        Assert.Equal([(0, 40), (75, 5)], _gaps);
        Assert.Equal(35, _counted.Where(c => c.Package == 2).Sum(c => c.Bytes));
        Assert.Equal(80, _counted.Sum(c => c.Bytes));
    }

    private void Sum(FileMap map, long length) => map.Sum(
        length,
        (offset, bytes) =>
        {
            _gaps.Add((offset, bytes));
            return true;
        },
        (package, kind, bytes) => _counted.Add((package, kind, bytes)));
}
