using System.IO.Compression;
using AotLinker.Compression;
using AotLinker.Hashing;
using BenchmarkDotNet.Attributes;

namespace AotLinker.Benchmarks;

/// <summary>DEFLATE as Go writes it, beside the runtime's zlib at the same level; and checksums. On the linker's own assembly.</summary>
public class DeflateBenchmarks
{
    private byte[] _data = [];

    /// <summary>Reads what is compressed.</summary>
    [GlobalSetup]
    public void Read() => _data = File.ReadAllBytes(typeof(ZlibWriter).Assembly.Location);

    /// <summary>Go 1.27's level 1.</summary>
    [Benchmark]
    public long Go127() => Compress(DeflateFamily.Go127);

    /// <summary>Level 1 of Go 1.23 to 1.26.</summary>
    [Benchmark]
    public long Go123() => Compress(DeflateFamily.Go123);

    /// <summary>zlib's level 1, which writes other bytes.</summary>
    [Benchmark(Baseline = true)]
    public long Zlib()
    {
        using MemoryStream to = new(_data.Length);
        using (ZLibStream stream = new(to, CompressionLevel.Fastest, leaveOpen: true))
        {
            stream.Write(_data);
        }
        return to.Length;
    }

    /// <summary>The checksum of a zlib stream.</summary>
    [Benchmark]
    public uint Checksum() => Adler32.Compute(_data);

    private long Compress(DeflateFamily family)
    {
        using ZlibWriter writer = new(family, DeflateLevel.BestSpeed);
        writer.Write(_data);
        writer.Finish();
        return writer.Output.Length;
    }
}
