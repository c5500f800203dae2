namespace AotLinker.Compression;

/// <summary>Block decisions of Go 1.23 to 1.26 (<c>huffmanBitWriter</c>): every block brings its own codes.</summary>
internal sealed unsafe class BlockWriter123 : BlockWriter
{
    /// <summary>Blocks up to this are stored.</summary>
    private const int MaxAlwaysStored = 16;

    /// <inheritdoc/>
    public override void WriteEnd()
    {
        BitSink sink = Open(MaxEndOutput);
        // Last block, stored, empty.
        sink.Put(1, 3);
        sink.AlignToByte();
        sink.Put(0xFFFF0000, 32);
        Close(sink);
    }

    /// <inheritdoc/>
    /// <remarks>As <c>compressor.encSpeed</c> decides, at level 1.</remarks>
    public override void WriteBlock(TokenBlock tokens, byte* data, int length, bool last)
    {
        if (length <= MaxAlwaysStored)
        {
            WriteStored(data, length);
        }
        else if (length < MinMatchedLength || tokens.TokenCount > length - (length >> 4))
        {
            WriteLiterals(data, length);
        }
        else
        {
            tokens.CountLiterals();
            WriteDynamic(tokens, data, length);
        }
    }

    /// <summary>Writes bytes as they are (<c>writeStoredBlock</c>).</summary>
    public void WriteStored(byte* data, int length)
    {
        BitSink sink = Open();
        PutStored(ref sink, data, length);
        Close(sink);
    }

    /// <summary>
    /// Writes tokens with their own codes, or stores the bytes if that is not a sixteenth larger
    /// (<c>writeBlockDynamic</c>, level 1).
    /// </summary>
    /// <param name="tokens">The tokens; literals are counted, the end of block is not. Its counts change.</param>
    public void WriteDynamic(TokenBlock tokens, byte* data, int length)
    {
        BitSink sink = Open();
        // Extra bits are left out of this estimate.
        int size = BuildCodes(tokens);
        if (IsStoredBetter(length, size))
        {
            PutStored(ref sink, data, length);
        }
        else
        {
            Header.Write(ref sink);
            TokenWriter.PutTokens(ref sink, tokens, Literal, Distance);
            sink.PutCode(Literal.Codes[DeflateTables.EndOfBlock]);
        }
        Close(sink);
    }

    /// <summary>Writes bytes without matches, or stores them (<c>writeBlockHuff</c>).</summary>
    public void WriteLiterals(byte* data, int length)
    {
        BitSink sink = Open();
        uint* counts = stackalloc uint[DeflateTables.EndOfBlock + 1];
        Histogram.Count(data, length, counts);
        counts[DeflateTables.EndOfBlock] = 1;
        Literal.Generate(counts, DeflateTables.EndOfBlock + 1, 15);
        Header.Build(Literal, DeflateTables.EndOfBlock + 1, SingleDistance, 1);
        // One bit for the distance code that no match uses.
        int size = Header.SizeInBits + Literal.BitLength(counts, DeflateTables.EndOfBlock + 1) + 1;
        if (IsStoredBetter(length, size))
        {
            PutStored(ref sink, data, length);
        }
        else
        {
            Header.Write(ref sink);
            TokenWriter.PutLiterals(ref sink, data, length, Literal);
            sink.PutCode(Literal.Codes[DeflateTables.EndOfBlock]);
        }
        Close(sink);
    }

    /// <summary>
    /// Writes tokens in the smallest of the three forms (<c>writeBlock</c>, levels 2 to 9).
    /// </summary>
    /// <param name="tokens">As for <see cref="WriteDynamic"/>.</param>
    /// <param name="data">The bytes that the tokens stand for, or null if they are no longer at hand: then the block is not stored.</param>
    public void WriteSmallest(TokenBlock tokens, byte* data, int length)
    {
        BitSink sink = Open();
        int dynamicSize = BuildCodes(tokens);
        int fixedSize = 3 + SymbolBits(tokens.Counts, FixedLiteral, FixedDistance);
        bool isFixed = fixedSize <= dynamicSize;
        bool isStorable = data != null && length <= DeflateTables.MaxStored;
        if (isStorable && StoredSize(length) < int.Min(fixedSize, dynamicSize) + ExtraBits(tokens.Counts))
        {
            PutStored(ref sink, data, length);
        }
        else
        {
            if (isFixed)
                sink.Put(2, 3);
            else
                Header.Write(ref sink);
            HuffmanCode literal = isFixed ? FixedLiteral : Literal;
            TokenWriter.PutTokens(ref sink, tokens, literal, isFixed ? FixedDistance : Distance);
            sink.PutCode(literal.Codes[DeflateTables.EndOfBlock]);
        }
        Close(sink);
    }

    /// <summary>Builds codes and header for tokens; returns their size in bits without extra bits.</summary>
    private int BuildCodes(TokenBlock tokens)
    {
        uint* counts = tokens.Counts;
        uint* distanceCounts = counts + TokenBlock.FirstDistance;
        counts[DeflateTables.EndOfBlock] = 1;
        int literals = Trim(counts, DeflateTables.LiteralSymbols);
        int distances = Trim(distanceCounts, DeflateTables.DistanceSymbols);
        if (distances == 0)
        {
            distanceCounts[0] = 1;
            distances = 1;
        }
        Literal.Generate(counts, DeflateTables.LiteralSymbols, 15);
        Distance.Generate(distanceCounts, DeflateTables.DistanceSymbols, 15);
        Header.Build(Literal, literals, Distance, distances);
        return Header.SizeInBits + SymbolBits(counts, Literal, Distance);
    }

    private static bool IsStoredBetter(int length, int size) => StoredSize(length) < size + (size >> 4);
}
