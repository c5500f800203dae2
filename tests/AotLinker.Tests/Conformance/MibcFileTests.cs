using System.Reflection;
using AotLinker.Conformance;
using AotLinker.Conformance.Profile;

namespace AotLinker.Tests.Conformance;

public sealed class MibcFileTests : IDisposable
{
    private const string Self = "AotLinker.Tests.Conformance.MibcFileTests";

    private static readonly string Assembly = typeof(MibcFileTests).Assembly.Location;

    private readonly string _folder = Directory.CreateTempSubdirectory("aotlink-test-").FullName;

    private string File => Path.Combine(_folder, "test.mibc");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void CountsOfSeveralRunsAreAddedUp()
    {
        Assert.Equal((1, 1), Write(
            Counted(nameof(Chosen), "int32  (int32[],class System.String&)", 1, 10),
            Counted(nameof(Chosen), "int32  (int32[],class System.String&)", 2, 20)));
        ProfiledMethod method = Assert.Single(MibcReader.Read(File));
        Assert.Equal(($"{Self}.Chosen", "int32  (int32[],class System.String&)", ""), (method.Name, method.Signature, method.Arguments));
        Assert.Equal([new Counter(Counter.Edge, 300, 0, 3), new Counter(Counter.Edge, 301, 7, 30)], method.Counters);
    }

    [Fact]
    public void OfCountersWithOtherEdgesThoseThatCountedMostAreTaken()
    {
        MethodCounters few = Counted(nameof(Chosen), "int32  (int32[],class System.String&)", 5);
        MethodCounters many = Counted(nameof(Chosen), "int32  (int32[],class System.String&)", 6, 7);
        Write(few, many);
        Assert.Equal(many.Counters, Assert.Single(MibcReader.Read(File)).Counters);
    }

    [Fact]
    public void LargeCountsAreMadeSmallerTogether()
    {
        Write(Counted(nameof(Chosen), "int32  (int32[],class System.String&)", 6_000_000_000, 3_000_000_000, 2));
        Assert.Equal([2_000_000_000, 1_000_000_000, 0], Assert.Single(MibcReader.Read(File)).Counters.Select(counter => counter.Value));
    }

    [Fact]
    public void GenericMethodsHaveAnEntryForEachInstanceThatCodeAsksFor()
    {
        // Both are called by way of Outer<T>, whose instances are known by its own callers only.
        Assert.Equal(3L, Outer(1) + Outer((byte)2));
        MethodCounters pair = Counted(nameof(Inner), "generic !!0  (value class Pair`1<!!0>)", 4);
        MethodCounters first = new(Self + "+Pair`1.First", "instance !0  ()", Size(typeof(Pair<>).GetMethod("First")!), pair.Counters);
        Assert.Equal((2, 4), Write(pair, first));
        Assert.Equal(
            [
                ($"{Self}+Pair`1.First", "instance !0  ()", "<int32>"), ($"{Self}+Pair`1.First", "instance !0  ()", "<unsigned int8>"),
                ($"{Self}.Inner", pair.Signature, "<int32>"), ($"{Self}.Inner", pair.Signature, "<unsigned int8>"),
            ],
            MibcReader.Read(File).Select(method => (method.Name, method.Signature, method.Arguments)).Order());
    }

    [Fact]
    public void SameCountsMakeTheSameFile()
    {
        MethodCounters one = Counted(nameof(Chosen), "int32  (int32[],class System.String&)", 1, 10);
        MethodCounters other = Counted(nameof(Inner), "generic !!0  (value class Pair`1<!!0>)", 4);
        Write(one, other);
        byte[] first = System.IO.File.ReadAllBytes(File);
        Write(other, one);
        Assert.Equal(first, System.IO.File.ReadAllBytes(File));
    }

    [Fact]
    public void MethodsThatTheAssemblyDoesNotHaveAreLeftOut()
    {
        MethodCounters good = Counted(nameof(Chosen), "int32  (int32[],class System.String&)", 1);
        MethodCounters[] stale = [good with { Name = good.Name + "s" }, good with { Signature = "int32  (int32[])" }, good with { Size = good.Size + 1 }];
        Assert.Equal((1, 1), Write([good, .. stale]));
        Assert.Throws<ConformanceException>(() => Write(stale));
    }

    private (int Methods, int Instances) Write(params MethodCounters[] counters) => MibcFile.Write(File, Assembly, counters);

    /// <summary>Counters of edges of their own, one for each value.</summary>
    private static MethodCounters Counted(string name, string signature, params long[] values) => new(
        $"{Self}.{name}", signature, Size(typeof(MibcFileTests).GetMethod(name, BindingFlags.NonPublic | BindingFlags.Static)!),
        [.. values.Select((value, index) => new Counter(Counter.Edge, 300 + index, 7 * index, value))]);

    private static int Size(MethodInfo method) => method.GetMethodBody()!.GetILAsByteArray()!.Length;

    private static int Chosen(int[] numbers, ref string text) => numbers.Length + text.Length;

    private static long Outer<T>(T value)
        where T : struct => Convert.ToInt64(Inner(new Pair<T>(value, value)), null);

    private static T Inner<T>(Pair<T> pair)
        where T : struct => pair.First();

    private readonly struct Pair<T>(T first, T second)
        where T : struct
    {
        public T First() => first;

        public T Second() => second;
    }
}
