using AotLinker.Objects;

namespace AotLinker.Tests.Objects;

public sealed class ValueColumnTests
{
    private const long ImageBase = 0x1_4000_0000;

    // Around what thirty bits hold, near the image, places of debug information, and what is none of these.
    private static readonly long[] Values =
    [
        0, 1, -1, (1 << 29) - 1, 1 << 29, -(1 << 29), -(1 << 29) - 1, ImageBase, ImageBase + 0x1000, ImageBase - 1, ImageBase + (1 << 29) - 1,
        ImageBase + (1 << 29), ValueColumn.PlaceMark, ValueColumn.PlaceMark + 77, ValueColumn.PlaceMark + (1 << 29), long.MaxValue, long.MinValue,
        0x7fff_ffff, 0xffff_ffff, 1L << 40,
    ];

    [Fact]
    public void AnyValueIsKept()
    {
        using ValueColumn column = MakeColumn(Values.Length);
        for (int round = 0; round < 2 * Values.Length; round++)
        {
            for (int i = 0; i < Values.Length; i++)
                column[new SymbolId(i)] = Value(i + round);
            for (int i = 0; i < Values.Length; i++)
            {
                Assert.Equal(Value(i + round), column[new SymbolId(i)]);
                bool isPlace = column.TryGetPlace(new SymbolId(i), out int place);
                Assert.Equal(Value(i + round) - ValueColumn.PlaceMark is >= 0 and < 1 << 29, isPlace);
                if (isPlace)
                    Assert.Equal(Value(i + round), ValueColumn.PlaceMark + place);
            }
        }
    }

    [Fact]
    public void AValueThatIsNotZeroStays()
    {
        SymbolId s = new(0);
        foreach (long first in Values)
        {
            foreach (long second in Values)
            {
                using ValueColumn column = MakeColumn(1);
                column.SetIfZero(s, first);
                column.SetIfZero(s, second);
                Assert.Equal(first == 0 ? second : first, column[s]);
            }
        }
    }

    [Fact]
    public void AThreadThatSetsAValueOnlyIfZeroUndoesNoOthers()
    {
        const int Count = 2000;
        Workers workers = new(4);
        for (int round = 0; round < 50; round++)
        {
            using ValueColumn column = MakeColumn(Count);
            workers.For(2 * Count, i =>
            {
                if (i % 2 == 0)
                    column.SetIfZero(new SymbolId(i / 2), -1);
                else
                    column[new SymbolId(i / 2)] = i;
            });
            for (int i = 0; i < Count; i++)
                Assert.Equal((2 * i) + 1, column[new SymbolId(i)]);
        }
    }

    [Fact]
    public void WhatIsAddedIsAddedToAnyValue()
    {
        SymbolId s = new(0);
        foreach (long value in Values)
        {
            foreach (long by in Values)
            {
                using ValueColumn column = MakeColumn(1);
                column[s] = value;
                column.Add(s, by);
                Assert.Equal(unchecked(value + by), column[s]);
            }
        }
    }

    [Fact]
    public void ThreadsMaySetValuesThatFitNoWord()
    {
        const int Count = 20_000;
        using ValueColumn column = MakeColumn(Count);
        new Workers(4).For(Count, i => column[new SymbolId(i)] = (1L << 50) + i);
        for (int i = 0; i < Count; i++)
            Assert.Equal((1L << 50) + i, column[new SymbolId(i)]);
    }

    [Fact]
    public void AViewHasWhatTheColumnSaysIfItIsUsual()
    {
        using ValueColumn column = MakeColumn(Values.Length);
        for (int round = 0; round < 2 * Values.Length; round++)
        {
            for (int i = 0; i < Values.Length; i++)
                column[new SymbolId(i)] = Value(i + round);
            ValueColumn.View view = column.AsView();
            for (int i = 0; i < Values.Length; i++)
            {
                SymbolId s = new(i);
                bool isUsual = IsNear(column[s]) || IsNear(column[s] - ImageBase);
                Assert.Equal(isUsual, view.TryGet(i, out long value, out int number));
                Assert.Equal(i, number);
                if (isUsual)
                    Assert.Equal(column[s], value);
                bool isPlace = column.TryGetPlace(s, out int place);
                Assert.Equal(isPlace, view.TryGetPlace(i, out int viewed));
                if (isPlace)
                    Assert.Equal(place, viewed);
            }
        }

        static bool IsNear(long value) => value is >= -(1 << 29) and < 1 << 29;
    }

    [Fact]
    public void AViewKnowsNothingOfTheDeadAndOfWhatThereIsNoRoomFor()
    {
        LiveNumbers numbers = new();
        using ValueColumn column = new(numbers);
        column[new SymbolId(3)] = 33;
        column.SetPlace(new SymbolId(4), 44);
        CheckUnknown(3, 4, 5, 1 << 24, int.MaxValue);

        numbers.Begin(100);
        numbers.SetMarks(0, 1 << 5);
        numbers.Number();
        column.EnsureCapacity(101);
        column[new SymbolId(5)] = 55;
        column[new SymbolId(100)] = 66;
        CheckUnknown(3, 4, 6, 99, 1 << 24, int.MaxValue);
        Assert.Equal(33, column[new SymbolId(3)]);
        ValueColumn.View view = column.AsView();
        Assert.True(view.TryGet(5, out long value, out int number));
        Assert.Equal((55, 0), (value, number));
        Assert.True(view.TryGet(100, out value, out number));
        Assert.Equal((66, 1), (value, number));

        void CheckUnknown(params int[] ids)
        {
            ValueColumn.View view = column.AsView();
            foreach (int id in ids)
            {
                Assert.False(view.TryGet(id, out _, out _));
                Assert.False(view.TryGetPlace(id, out _));
            }
        }
    }

    private static long Value(int i) => Values[i % Values.Length];

    private static ValueColumn MakeColumn(int count)
    {
        LiveNumbers numbers = new();
        numbers.Begin(count);
        for (int id = 0; id < count; id += LiveNumbers.BlockSize)
            numbers.SetMarks(id, ulong.MaxValue);
        numbers.Number();
        ValueColumn column = new(numbers) { ImageBase = ImageBase };
        column.EnsureCapacity(count);
        return column;
    }
}
