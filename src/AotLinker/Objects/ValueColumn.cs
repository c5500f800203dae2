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
internal sealed unsafe class ValueColumn(LiveNumbers numbers) : IDisposable
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

    private readonly LiveColumn<int> _words = new(numbers);

    // Values that fit no word, in blocks that never move, so that they can be read without the lock.
    private readonly Lock _farLock = new();
    private nint[] _farBlocks = [];
    private int _farCount;

    /// <summary>Where the image begins, near which addresses will be. Set before the first value is.</summary>
    public long ImageBase { get; set; }

    /// <summary>The value of a symbol.</summary>
    public long this[SymbolId s]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            int word = _words.Get(s);
            return (word & KindMask) switch
            {
                0 => word >> KindBits,
                Image => ImageBase + (word >> KindBits),
                _ => OtherValue(word),
            };
        }
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        set
        {
            ref int word = ref _words[s];
            word = Fits(value) ? (int)value << KindBits : Encode(word, value);
        }
    }

    /// <summary>Asks the CPU for the value of a symbol.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Expect(SymbolId s)
    {
        int number = numbers.Of(s.Index);
        if (number >= 0)
        {
            Prefetch.Read(_words.ByNumber(out _) + number);
        }
    }

    /// <summary>Sets the value of a symbol if it is still 0, while other threads may set it, too.</summary>
    public void SetIfZero(SymbolId s, long value)
    {
        ref int word = ref _words[s];
        if (Volatile.Read(ref word) == 0)
        {
            Interlocked.CompareExchange(ref word, Fits(value) ? (int)value << KindBits : Encode(0, value), 0);
        }
    }

    /// <summary>Adds to the value of a symbol.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(SymbolId s, long by)
    {
        ref int word = ref _words[s];
        long moved = word + (by << KindBits);
        if ((word & KindMask) != Far && moved == (int)moved && by == (int)by)
        {
            word = (int)moved;
        }
        else
        {
            this[s] += by;
        }
    }

    /// <summary>Whether the value is an offset with <see cref="PlaceMark"/>, one that fits a word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryGetPlace(SymbolId s, out int offset)
    {
        int word = _words.Get(s);
        offset = word >> KindBits;
        return (word & KindMask) == Place;
    }

    /// <summary>Sets the value to an offset with <see cref="PlaceMark"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetPlace(SymbolId s, long offset)
    {
        ref int word = ref _words[s];
        word = Fits(offset) ? ((int)offset << KindBits) | Place : Encode(word, offset + PlaceMark);
    }

    /// <summary>The values of numbered symbols as they are stored, for loops that call nothing. Valid until a symbol is made.</summary>
    public View AsView()
    {
        int* words = _words.ByNumber(out int count);
        return new View(numbers.AsView(), words, count, ImageBase);
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
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Fits(long value) => value << (32 + KindBits) >> (32 + KindBits) == value;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private long OtherValue(int word) =>
        (word & KindMask) == Place ? PlaceMark + (word >> KindBits) : *FarPlace((int)((uint)word >> KindBits));

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int Encode(int word, long value) =>
        Fits(value - PlaceMark) ? ((int)(value - PlaceMark) << KindBits) | Place
        : Fits(value - ImageBase) ? ((int)(value - ImageBase) << KindBits) | Image
        : SetFar(word, value);

    private long* FarPlace(int index) => (long*)Volatile.Read(ref _farBlocks)[index >> FarBlockShift] + (index & (FarBlockSize - 1));

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

    /// <summary>The usual values of numbered symbols.</summary>
    public readonly struct View
    {
        private readonly LiveNumbers.View _numbers;
        private readonly int* _words;
        private readonly int _count;
        private readonly long _imageBase;

        internal View(LiveNumbers.View numbers, int* words, int count, long imageBase)
        {
            _numbers = numbers;
            _words = words;
            _count = count;
            _imageBase = imageBase;
        }

        /// <summary>A value that is a small number or an address in the image, and the symbol's number; false for all others.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool TryGet(int id, out long value, out int number)
        {
            number = _numbers.Of(id);
            int word = (uint)number < (uint)_count ? _words[number] : Far;
            // Bit 0 of a kind that is not Far: whether the word counts from the image's begin.
            value = (word >> KindBits) + (-(word & Image) & _imageBase);
            return (word & KindMask) <= Image;
        }

        /// <summary>As <see cref="ValueColumn.TryGetPlace"/>.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool TryGetPlace(int id, out int offset)
        {
            int number = _numbers.Of(id);
            int word = (uint)number < (uint)_count ? _words[number] : 0;
            offset = word >> KindBits;
            return (word & KindMask) == Place;
        }
    }
}
