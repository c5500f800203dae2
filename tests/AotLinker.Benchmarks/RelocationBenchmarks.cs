using AotLinker.Emit;
using AotLinker.Objects;
using AotLinker.Tests.Layout;
using BenchmarkDotNet.Attributes;

namespace AotLinker.Benchmarks;

/// <summary>The relocation loop on a function with many calls and addresses.</summary>
public class RelocationBenchmarks
{
    private const int Count = 4096;

    private readonly byte[] _content = new byte[Count * 8];
    private TestLink? _link;
    private Relocator? _relocator;
    private SymbolId _caller;

    /// <summary>Lays out a program whose first function refers to all others.</summary>
    [GlobalSetup]
    public void LayOut()
    {
        _link = new TestLink();
        SymbolBuilder caller = _link.AddBytes("caller", SymbolKind.Text, _content);
        _caller = caller.Symbol;
        SymbolId[] targets = new SymbolId[Count];
        for (int i = 0; i < Count; i++)
        {
            targets[i] = _link.AddBytes($"f{i}", SymbolKind.Text, new byte[16]).SetReachable().Symbol;
        }
        for (int i = 0; i < Count; i++)
        {
            (RelocKind kind, byte size) = (i & 3) == 0 ? (RelocKind.Addr, (byte)8) : (RelocKind.Call, (byte)4);
            caller.AddReloc(kind, i * 8, size, targets[(i * 2731) % Count], 0);
        }
        _link.LayOut();
        _relocator = new Relocator(_link.Ctx);
    }

    /// <summary>Removes the output.</summary>
    [GlobalCleanup]
    public void Remove() => _link!.Dispose();

    /// <summary>Applies all relocations.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public byte Apply()
    {
        _relocator!.Apply(_caller, _content);
        return _content[4];
    }
}
