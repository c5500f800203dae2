using System.Runtime.CompilerServices;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// Walks over functions in their order, and asks the CPU, some functions ahead, for what an object says about them: the auxiliary symbols,
/// then where the function's record begins, then the record. Where auxiliary symbols begin says a table that the functions of an object are
/// in by turns.
/// </summary>
internal ref struct Approach
{
    private const int AuxesAhead = 8;
    private const int RecordIndexAhead = 6;
    private const int RecordAhead = 4;

    private readonly FunctionList _functions;
    private readonly SymbolTable _symbols;
    private readonly int _end;

    // Where the functions ahead are.
    private Places _places;

    /// <summary>An approach to the functions from <paramref name="from"/> on, up to <paramref name="end"/>.</summary>
    public Approach(FunctionList functions, int from, int end)
    {
        _functions = functions;
        _symbols = functions.Context.Symbols;
        _end = end;
        for (int i = from; i < Math.Min(end, from + AuxesAhead); i++)
        {
            ExpectAuxes(i);
        }
    }

    /// <summary>
    /// Goes on to function <paramref name="i"/>, one after the other. Gives out the object it comes from, null for a function without one,
    /// and its number there.
    /// </summary>
    public GoObject? GoTo(int i, out int local)
    {
        if (i + AuxesAhead < _end)
        {
            ExpectAuxes(i + AuxesAhead);
        }
        if (i + RecordIndexAhead < _end && _places.Get(_symbols, i + RecordIndexAhead, out int far) is { } owner && Record(owner, far) is >= 0 and var record)
        {
            owner.ExpectDataIndex(record);
        }
        if (i + RecordAhead < _end && _places.Get(_symbols, i + RecordAhead, out int ahead) is { } o)
        {
            ExpectFuncInfo(o, ahead);
        }
        // One that was taken out of its object to be changed is found by its origin.
        return _places.Get(_symbols, i, out local) ?? _symbols.Origin(_functions[i], out local);
    }

    /// <summary>Asks for the record of a function whose auxiliary symbols were asked for.</summary>
    public static void ExpectFuncInfo(GoObject o, int local)
    {
        if (Record(o, local) is >= 0 and var record)
        {
            o.ExpectData(record);
        }
    }

    // The definition that is a function's record; -1 if there is none.
    private static int Record(GoObject o, int local)
    {
        foreach (ref readonly AuxRecord aux in o.Auxes(local))
        {
            if (aux.Kind == AuxKind.FuncInfo)
            {
                return (int)Math.Min(aux.Target.SymbolIndex, int.MaxValue);
            }
        }
        return -1;
    }

    private void ExpectAuxes(int i) => _places.Locate(_symbols, i, _functions[i], out int local)?.ExpectAuxes(local);
}

/// <summary>Where the next of some symbols in a row are: those that a walk looks at ahead are found once.</summary>
[InlineArray(Count)]
internal struct Places
{
    /// <summary>How many places are kept.</summary>
    public const int Count = 16;

    private (int Object, int Local) _first;

    /// <summary>Finds the i-th symbol: its object, null if it has none, and its number there.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public GoObject? Locate(SymbolTable symbols, int i, SymbolId s, out int local)
    {
        int o = symbols.LocateIndex(s, out local);
        this[i & (Count - 1)] = (o, local);
        return symbols.ObjectAt(o);
    }

    /// <summary>The same for one of the last that were found.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public readonly GoObject? Get(SymbolTable symbols, int i, out int local)
    {
        (int o, local) = this[i & (Count - 1)];
        return symbols.ObjectAt(o);
    }
}
