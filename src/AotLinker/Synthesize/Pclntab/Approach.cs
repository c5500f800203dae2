using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// Asks the CPU, some functions ahead, for what an object says about them: where it begins, then the auxiliary symbols, then the
/// function's record. Each step needs what the one before it brought.
/// </summary>
internal readonly ref struct Approach
{
    /// <summary>Number of steps.</summary>
    public const int Steps = 3;

    private const int IndexesAhead = 12;
    private const int AuxesAhead = 8;
    private const int RecordAhead = 4;

    private readonly FunctionList _functions;
    private readonly SymbolTable _symbols;
    private readonly int _end;

    /// <summary>An approach to the functions from <paramref name="from"/> on, up to <paramref name="end"/>.</summary>
    public Approach(FunctionList functions, int from, int end)
    {
        _functions = functions;
        _symbols = functions.Context.Symbols;
        _end = end;
        for (int i = from; i < Math.Min(end, from + IndexesAhead); i++)
        {
            ExpectIndexes(i);
        }
    }

    /// <summary>Called before function <paramref name="i"/> is looked at, with one after the other.</summary>
    public void Expect(int i)
    {
        if (i + IndexesAhead < _end)
        {
            ExpectIndexes(i + IndexesAhead);
        }
        if (i + AuxesAhead < _end)
        {
            Expect(_symbols, _functions[i + AuxesAhead], 1);
        }
        if (i + RecordAhead < _end)
        {
            Expect(_symbols, _functions[i + RecordAhead], 2);
        }
    }

    /// <summary>One of the three steps for any function.</summary>
    public static void Expect(SymbolTable symbols, SymbolId function, int step)
    {
        if (symbols.Locate(function, out int local) is not { } o)
        {
            return;
        }
        if (step == 0)
        {
            o.ExpectIndexes(local);
            return;
        }
        if (step == 1)
        {
            o.ExpectAuxes(local);
            return;
        }
        foreach (ref readonly AuxRecord aux in o.Auxes(local))
        {
            if (aux.Kind == AuxKind.FuncInfo)
            {
                o.ExpectData((int)Math.Min(aux.Target.SymbolIndex, int.MaxValue));
                return;
            }
        }
    }

    private void ExpectIndexes(int i) => Expect(_symbols, _functions[i], 0);
}
