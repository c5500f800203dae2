using AotLinker.Load;
using AotLinker.Objects;
using AotLinker.Tests.Objects;
using BenchmarkDotNet.Attributes;

namespace AotLinker.Benchmarks;

/// <summary>An object file read in place: its index of symbols, names, content and relocations; and a pc table.</summary>
public class ObjectBenchmarks
{
    private const int Symbols = 20_000;
    private const int RelocsPerSymbol = 4;

    private readonly byte[] _pcTable = new byte[64 << 10];
    private GoObject? _object;

    /// <summary>Makes an object of many functions that call each other.</summary>
    [GlobalSetup]
    public void MakeObject()
    {
        GoObjectWriter writer = new("p");
        for (int i = 0; i < Symbols; i++)
        {
            var relocs = new GoObjectWriter.Reloc[RelocsPerSymbol];
            for (int r = 0; r < relocs.Length; r++)
            {
                relocs[r] = new GoObjectWriter.Reloc(8 * r, 4, 8, 0, SymRef.Self, (uint)((i * 7919L + r) % Symbols));
            }
            writer.Define($"p.function{i}", 1, 48, new byte[48], relocs: relocs);
        }
        _object = writer.Open(SymbolTable.FirstObject);
        new Random(1).NextBytes(_pcTable);
        for (int i = 0; i < _pcTable.Length; i++)
        {
            _pcTable[i] = (byte)(1 + (_pcTable[i] & 0x7e));
        }
    }

    /// <summary>Walks all records and names.</summary>
    [Benchmark(OperationsPerInvoke = Symbols)]
    public long Records()
    {
        GoObject o = _object!;
        long sum = 0;
        for (int i = 0; i < o.SymbolCount; i++)
        {
            ref readonly SymbolRecord r = ref o.Symbol(i);
            sum += o.Name(r).Length + r.Size;
        }
        return sum;
    }

    /// <summary>Walks the content and relocations of all definitions.</summary>
    [Benchmark(OperationsPerInvoke = Symbols)]
    public long Definitions()
    {
        GoObject o = _object!;
        long sum = 0;
        for (int i = 0; i < o.AllDefCount; i++)
        {
            sum += o.Data(i).Length;
            foreach (ref readonly RelocRecord r in o.Relocs(i))
            {
                sum += r.Target.SymbolIndex;
            }
        }
        return sum;
    }

    /// <summary>Decodes a pc table of 32,768 ranges.</summary>
    [Benchmark(OperationsPerInvoke = 32 << 10)]
    public long PcTable()
    {
        long sum = 0;
        PcValueReader reader = new(_pcTable, 1);
        while (reader.Next())
        {
            sum += reader.Value;
        }
        return sum;
    }
}
