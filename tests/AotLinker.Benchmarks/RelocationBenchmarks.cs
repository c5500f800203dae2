using AotLinker.Emit;
using AotLinker.Objects;
using AotLinker.Tests.Layout;
using AotLinker.Tests.Objects;
using BenchmarkDotNet.Attributes;

namespace AotLinker.Benchmarks;

/// <summary>
/// The relocation loops on a function with many calls and addresses: relocations of an object, and the same ones made by the linker.
/// </summary>
public class RelocationBenchmarks
{
    private const int Count = 4096;
    private const int TargetSize = 16;

    private readonly byte[] _content = new byte[Count * 8];
    private TestLink? _link;
    private Relocator? _relocator;
    private SymbolId _caller;

    /// <summary>Lays out a program whose first function refers to all others.</summary>
    [GlobalSetup(Target = nameof(Apply))]
    public void LayOut()
    {
        _link = new TestLink();
        SymbolBuilder caller = _link.AddBytes("caller", SymbolKind.Text, _content);
        SymbolId[] targets = new SymbolId[Count];
        for (int i = 0; i < Count; i++)
        {
            targets[i] = _link.AddBytes($"f{i}", SymbolKind.Text, new byte[TargetSize]).SetReachable().Symbol;
        }
        for (int i = 0; i < Count; i++)
        {
            (RelocKind kind, byte size) = FormOf(i);
            caller.AddReloc(kind, i * 8, size, targets[TargetOf(i)], 0);
        }
        Finish();
    }

    /// <summary>Lays out the same program from an object.</summary>
    [GlobalSetup(Target = nameof(ApplyOfObject))]
    public void LayOutObject()
    {
        const byte Text = 1;
        _link = new TestLink();
        GoObjectWriter.Reloc[] relocs = new GoObjectWriter.Reloc[Count];
        for (int i = 0; i < Count; i++)
        {
            (RelocKind kind, byte size) = FormOf(i);
            ushort number = (ushort)_link.Ctx.Release.RelocKinds.IndexOf((byte)kind);
            relocs[i] = new GoObjectWriter.Reloc(i * 8, size, number, 0, SymRef.Self, (uint)TargetOf(i) + 1);
        }
        GoObjectWriter writer = new GoObjectWriter("p").Define("caller", Text, Count * 8, _content, relocs: relocs);
        for (int i = 0; i < Count; i++)
        {
            writer.Define($"f{i}", Text, TargetSize, new byte[TargetSize]);
        }
        _link.AddObjects(writer);
        Finish();
    }

    /// <summary>Removes the output.</summary>
    [GlobalCleanup]
    public void Remove() => _link!.Dispose();

    /// <summary>Applies all relocations, made by the linker.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public byte Apply()
    {
        _relocator!.Apply(_caller, _content);
        return _content[4];
    }

    /// <summary>Applies all relocations, read from an object.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public byte ApplyOfObject() => Apply();

    private static (RelocKind Kind, byte Size) FormOf(int i) => (i & 3) == 0 ? (RelocKind.Addr, (byte)8) : (RelocKind.Call, (byte)4);

    private static int TargetOf(int i) => i * 2731 % Count;

    private void Finish()
    {
        _link!.LayOut();
        _caller = _link.Find("caller");
        _relocator = new Relocator(_link.Ctx);
    }
}
