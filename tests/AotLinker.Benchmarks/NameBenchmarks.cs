using System.Text;
using AotLinker.Objects;
using BenchmarkDotNet.Attributes;

namespace AotLinker.Benchmarks;

/// <summary>Names: their hash, and the table that resolve fills and everything else looks into. A million names of 40 bytes or so.</summary>
public class NameBenchmarks
{
    private const int Count = 1 << 20;

    private byte[][] _names = [];
    private ulong[] _hashes = [];
    private NameTable _table = new(1);

    /// <summary>Makes names as a Go program has them.</summary>
    [GlobalSetup]
    public void MakeNames()
    {
        _names = new byte[Count][];
        _hashes = new ulong[Count];
        for (int i = 0; i < Count; i++)
        {
            _names[i] = Encoding.UTF8.GetBytes($"k8s.io/api/core/v{i % 97}.(*Type{i}).DeepCopyInto");
            _hashes[i] = NameTable.Hash(_names[i], 1);
        }
        _table = Fill();
    }

    /// <summary>Hashes all names.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public ulong Hash()
    {
        ulong sum = 0;
        foreach (byte[] name in _names)
        {
            sum += NameTable.Hash(name, 1);
        }
        return sum;
    }

    /// <summary>Enters all names.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public int Enter() => Fill().ShardCount;

    /// <summary>Looks all names up, one after the other.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public int LookUp() => Search(ahead: 0);

    /// <summary>Looks all names up, the memory asked for 32 names ahead.</summary>
    [Benchmark(OperationsPerInvoke = Count)]
    public int LookUpAhead() => Search(ahead: 32);

    private unsafe int Search(int ahead)
    {
        NameTable.Shard shard = _table[0];
        int found = 0;
        for (int i = 0; i < Count; i++)
        {
            if (ahead != 0)
            {
                shard.Expect(_hashes[(i + ahead) & (Count - 1)]);
            }
            NameTable.Cursor cursor = shard.Seek(_hashes[i]);
            while (shard.Next(ref cursor))
            {
                found += *cursor.Id == i + 1 ? 1 : 0;
            }
        }
        return found == Count ? found : throw new InvalidOperationException("a name was not found");
    }

    private NameTable Fill()
    {
        NameTable table = new(1);
        table[0].Reserve(Count);
        for (int i = 0; i < Count; i++)
        {
            table[0].Add(_hashes[i], i + 1, id => _hashes[id - 1]);
        }
        return table;
    }
}
