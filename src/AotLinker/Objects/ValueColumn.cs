using System.Runtime.CompilerServices;
using AotLinker.Mapping;

namespace AotLinker.Objects;

/// <summary>
/// The values of live symbols: 64 bits that nearly always are a small number, an address in the image or an offset in a section of debug
/// information, and then take four bytes.
/// </summary>
/// <remarks>
/// Two bits of a word say what the other thirty are added to: nothing, <see cref="ImageBase"/> or <see cref="PlaceMark"/>; or that they are
/// the place of a value that is none of these. Such a value keeps its place. As with <see cref="LiveColumn{T}"/> symbols are created by
/// serial code, and any thread may get and set values.
/// </remarks>
internal sealed unsafe class ValueColumn : IDisposable
{
    /// <summary>What marks a value as an offset in a section of debug information. No address looks like it.</summary>
    public const long PlaceMark = 1L << 62;

    private const int KindBits = 2;
    private const int KindMask = (1 << KindBits) - 1;
    private const int Image = 1;
    private const int Place = 2;
    private const int Far = 3;
    private const int FarBlockShift = 12;
    private const int FarBlockSize = 1 << FarBlockShift;

    private readonly LiveColumn<int> _words;
    private readonly long* _bases;

    // Values that fit no word, in blocks that never move, so that they can be read without the lock.
    private readonly Lock _farLock = new();
    private nint[] _farBlocks = [];
    private int _farCount;

    /// <summary>A column for the symbols that have numbers.</summary>
    public ValueColumn(LiveNumbers numbers)
    {
        _words = new LiveColumn<int>(numbers);
        _bases = (long*)NativeHeap.AllocZeroed(KindMask + 1, sizeof(long));
        _bases[Place] = PlaceMark;
    }

    /// <summary>Where the image begins, near which addresses will be. Set before the first value is.</summary>
    public long ImageBase
    {
        get => _bases[Image];
        set => _bases[Image] = value;
    }

    /// <summary>The value of a symbol.</summary>
    public long this[SymbolId s]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            int word = _words.Get(s);
            return (word & KindMask) != Far ? _bases[word & KindMask] + (word >> KindBits) : FarValue(word);
        }
        set
        {
            ref int word = ref _words[s];
            word = Fits(value) ? Encode(value, 0)
                : Fits(value - _bases[Image]) ? Encode(value - _bases[Image], Image)
                : Fits(value - PlaceMark) ? Encode(value - PlaceMark, Place)
                : SetFar(word, value);
        }
    }

    /// <summary>Makes room for the numbers of all ids below <paramref name="count"/>.</summary>
    public void EnsureCapacity(int count) => _words.EnsureCapacity(count);

    /// <inheritdoc/>
    public void Dispose()
    {
        _words.Dispose();
        foreach (nint block in _farBlocks)
        {
            NativeHeap.Free((void*)block);
        }
        _farBlocks = [];
        NativeHeap.Free(_bases);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Fits(long value) => value << (32 + KindBits) >> (32 + KindBits) == value;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Encode(long value, int kind) => ((int)value << KindBits) | kind;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private long FarValue(int word) => *FarPlace((int)((uint)word >> KindBits));

    private long* FarPlace(int index) => (long*)Volatile.Read(ref _farBlocks)[index >> FarBlockShift] + (index & (FarBlockSize - 1));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int SetFar(int word, long value)
    {
        if ((word & KindMask) == Far)
        {
            *FarPlace((int)((uint)word >> KindBits)) = value;
            return word;
        }
        lock (_farLock)
        {
            int index = _farCount++;
            if (index >> FarBlockShift == _farBlocks.Length)
            {
                Volatile.Write(ref _farBlocks, [.. _farBlocks, (nint)NativeHeap.Alloc(FarBlockSize, sizeof(long))]);
            }
            *FarPlace(index) = value;
            return (index << KindBits) | Far;
        }
    }
}
