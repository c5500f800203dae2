namespace AotLinker.Objects;

/// <summary>
/// Walks a table that maps pc ranges to values: pairs of a zigzag delta of the value and a delta of the pc, both varints, ended by a zero
/// value delta (cmd/internal/obj.PCIter).
/// </summary>
internal ref struct PcValueReader
{
    private readonly uint _scale;
    private ReadOnlySpan<byte> _rest;
    private bool _started;

    /// <summary>A reader over <paramref name="table"/>; pc deltas count instructions of <paramref name="minLc"/> bytes.</summary>
    public PcValueReader(ReadOnlySpan<byte> table, int minLc)
    {
        _rest = table;
        _scale = (uint)minLc;
        Value = -1;
    }

    /// <summary>First pc of the range.</summary>
    public uint Pc { get; private set; }

    /// <summary>First pc behind the range.</summary>
    public uint NextPc { get; private set; }

    /// <summary>Value in the range.</summary>
    public int Value { get; private set; }

    /// <summary>Moves to the next range; false at the end.</summary>
    public bool Next()
    {
        Pc = NextPc;
        if (_rest.IsEmpty)
        {
            return false;
        }
        uint delta = Varint();
        if (delta == 0 && _started)
        {
            _rest = default;
            return false;
        }
        _started = true;
        Value += (int)(delta >> 1) ^ -(int)(delta & 1);
        NextPc = Pc + (Varint() * _scale);
        return true;
    }

    private uint Varint()
    {
        uint value = 0;
        for (int shift = 0, i = 0; i < _rest.Length; i++, shift += 7)
        {
            byte b = _rest[i];
            value |= shift < 32 ? (uint)(b & 0x7f) << shift : 0;
            if (b < 0x80)
            {
                _rest = _rest[(i + 1)..];
                return value;
            }
        }
        _rest = default;
        return value;
    }
}
