using System.Buffers;
using AotLinker.Layout;

namespace AotLinker.Tests.Layout;

// The expected programs are what cmd/internal/gcprog writes for the same calls.
public class GcProgramTests
{
    [Fact]
    public void AnEmptyProgramOnlyEnds() => Check("00", static (ref GcProgramWriter _) => { });

    [Fact]
    public void FewScalarsAreLiterals() => Check("1f0000000000", static (ref GcProgramWriter w) => w.ZeroUntil(31));

    [Fact]
    public void ManyScalarsAreRepeated()
    {
        Check("0100811f00", static (ref GcProgramWriter w) => w.ZeroUntil(32));
        Check("010081872700", static (ref GcProgramWriter w) => w.ZeroUntil(5000));
    }

    [Fact]
    public void LiteralsComeInGroupsOf127() => Check("7fffffffffffffffffffffffffffffff7f030700", static (ref GcProgramWriter w) =>
    {
        for (long i = 0; i < 130; i++)
        {
            w.Pointer(i);
        }
    });

    [Fact]
    public void ScalarsBetweenPointersAreImplied() =>
        Check("7f499224499224499224499224499224497f24499224499224499224499224499224389224499224090000", static (ref GcProgramWriter w) =>
        {
            for (long i = 0; i < 300; i += 3)
            {
                w.Pointer(i);
            }
            w.ZeroUntil(310);
        });

    [Fact]
    public void ArraysRepeatTheirElement() => Check("060c846301008161020181f20380ac02f0a20400", static (ref GcProgramWriter w) =>
    {
        w.Pointer(2);
        w.Pointer(3);
        w.ZeroUntil(6);
        w.Repeat(4, 99);
        w.Pointer(500);
        w.ZeroUntil(1000);
        w.Repeat(300, 70000);
        w.ZeroUntil(21_001_000);
    });

    [Fact]
    public void GoingBackIsABug()
    {
        GcProgramWriter w = new(new ArrayBufferWriter<byte>());
        w.Pointer(5);
        Assert.Throws<InvalidOperationException>(() =>
        {
            GcProgramWriter copy = w;
            copy.Pointer(3);
        });
    }

    private delegate void Describe(ref GcProgramWriter w);

    private static void Check(string expected, Describe describe)
    {
        ArrayBufferWriter<byte> bytes = new();
        GcProgramWriter w = new(bytes);
        describe(ref w);
        w.End();
        Assert.Equal(expected, Convert.ToHexStringLower(bytes.WrittenSpan));
    }
}
