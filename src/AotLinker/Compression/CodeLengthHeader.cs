using System.Runtime.InteropServices;
using AotLinker.Mapping;

namespace AotLinker.Compression;

/// <summary>
/// The description of a pair of codes at the head of a dynamic block (RFC 1951 3.2.7): the code lengths of
/// both alphabets in one run-length encoded list, itself Huffman coded. Follows the choices of
/// <c>generateCodegen</c>, which greedily takes the longest repeat and never lets a zero run use symbol 16.
/// </summary>
internal sealed unsafe class CodeLengthHeader : IDisposable
{
    private const int RepeatPrevious = 16;
    private const int ZerosShort = 17;
    private const int ZerosLong = 18;
    private const int MaxEntries = DeflateTables.LiteralSymbols + DeflateTables.DistanceSymbols;

    private readonly HuffmanCode _code = new();
    private uint* _counts;
    private ushort* _entries;
    private int _entryCount;
    private int _literals;
    private int _distances;
    private int _listed;

    public CodeLengthHeader()
    {
        _counts = (uint*)NativeHeap.AllocZeroed(DeflateTables.LengthSymbols, sizeof(uint));
        _entries = (ushort*)NativeHeap.Alloc(MaxEntries, sizeof(ushort));
    }

    ~CodeLengthHeader() => Free();

    /// <summary>Size of the header in bits, block type included.</summary>
    public int SizeInBits { get; private set; }

    /// <summary>Describes the first <paramref name="literals"/> and <paramref name="distances"/> symbols of two codes.</summary>
    public void Build(HuffmanCode literal, int literals, HuffmanCode distance, int distances)
    {
        byte* lengths = stackalloc byte[MaxEntries + 1];
        for (int i = 0; i < literals; i++)
            lengths[i] = (byte)literal.LengthOf(i);
        for (int i = 0; i < distances; i++)
            lengths[literals + i] = (byte)distance.LengthOf(i);
        int total = literals + distances;
        _literals = literals;
        _distances = distances;
        _entryCount = 0;
        NativeMemory.Clear(_counts, DeflateTables.LengthSymbols * sizeof(uint));

        for (int at = 0; at < total;)
        {
            byte length = lengths[at];
            int run = 1;
            while (at + run < total && lengths[at + run] == length)
                run++;
            at += run;
            if (length == 0)
            {
                for (; run >= 11; run -= int.Min(run, 138))
                    Add(ZerosLong, int.Min(run, 138) - 11);
                if (run >= 3)
                {
                    Add(ZerosShort, run - 3);
                    run = 0;
                }
            }
            else
            {
                Add(length, 0);
                for (run--; run >= 3; run -= int.Min(run, 6))
                    Add(RepeatPrevious, int.Min(run, 6) - 3);
            }
            for (; run > 0; run--)
                Add(length, 0);
        }

        _code.Generate(_counts, DeflateTables.LengthSymbols, 7);
        _listed = DeflateTables.LengthSymbols;
        while (_listed > 4 && _counts[DeflateTables.LengthSymbolOrder[_listed - 1]] == 0)
            _listed--;
        SizeInBits = 3 + 5 + 5 + 4 + 3 * _listed + _code.BitLength(_counts, DeflateTables.LengthSymbols)
            + (int)(2 * _counts[RepeatPrevious] + 3 * _counts[ZerosShort] + 7 * _counts[ZerosLong]);
    }

    /// <summary>Writes the header of a block that is not the last one.</summary>
    public void Write(ref BitSink sink)
    {
        sink.Put(4, 3);
        sink.Put((uint)(_literals - DeflateTables.FirstLength), 5);
        sink.Put((uint)(_distances - 1), 5);
        sink.Put((uint)(_listed - 4), 4);
        for (int i = 0; i < _listed; i++)
            sink.Put((uint)_code.LengthOf(DeflateTables.LengthSymbolOrder[i]), 3);
        for (int i = 0; i < _entryCount; i++)
        {
            int entry = _entries[i];
            int symbol = entry & 31;
            sink.PutCode(_code.Codes[symbol]);
            if (symbol >= RepeatPrevious)
                sink.Put((uint)(entry >> 5), symbol == RepeatPrevious ? 2 : symbol == ZerosShort ? 3 : 7);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _code.Dispose();
        Free();
        GC.SuppressFinalize(this);
    }

    private void Add(int symbol, int repeat)
    {
        _entries[_entryCount++] = (ushort)(symbol | (repeat << 5));
        _counts[symbol]++;
    }

    private void Free()
    {
        NativeHeap.Free(_counts);
        NativeHeap.Free(_entries);
        _counts = null;
        _entries = null;
    }
}
