using System.Runtime.CompilerServices;
using AotLinker.Load;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>The functions that the runtime's tables describe, in address order, and the compilation units they are of.</summary>
internal sealed class FunctionList
{
    /// <summary>Functions that one worker takes at a time.</summary>
    public const int ChunkSize = 512;

    private readonly NativeArray<int> _functions;
    private readonly List<CompilationUnit> _units = [];

    /// <summary>Lists the functions of <see cref="LinkContext.Text"/> and numbers their units by first appearance.</summary>
    public FunctionList(LinkContext ctx)
    {
        Context = ctx;
        SymbolTable symbols = ctx.Symbols;
        HashSet<SymbolId> containers = Containers(ctx);
        bool skipLabels = ctx.Target.Cpu.HasLocalLabels;
        _functions = new NativeArray<int>(ctx.Text.Count);
        int n = 0;
        CompilationUnit? last = null;
        foreach (SymbolId s in ctx.Text)
        {
            if ((containers.Count != 0 && containers.Contains(s)) || (skipLabels && IsLocalLabel(symbols.Name(s))))
            {
                continue;
            }
            _functions[n++] = s.Index;
            CompilationUnit? unit = symbols.Unit(s);
            if (unit is not null && unit != last && unit.PclnIndex < 0)
            {
                unit.PclnIndex = _units.Count;
                _units.Add(unit);
            }
            last = unit;
        }
        Count = n;
        if (n == 0)
        {
            throw new LinkException("there is no function in the program");
        }
    }

    /// <summary>The link.</summary>
    public LinkContext Context { get; }

    /// <summary>Number of functions.</summary>
    public int Count { get; }

    /// <summary>Number of chunks.</summary>
    public int ChunkCount => (Count + ChunkSize - 1) / ChunkSize;

    /// <summary>The units, in the order of their numbers.</summary>
    public IReadOnlyList<CompilationUnit> Units => _units;

    /// <summary>The i-th function.</summary>
    public SymbolId this[int i]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => new(_functions[i]);
    }

    /// <summary>The first function.</summary>
    public SymbolId First => this[0];

    /// <summary>The last function.</summary>
    public SymbolId Last => this[Count - 1];

    /// <summary>Runs <paramref name="body"/>(chunk, first function, function behind the last) for all chunks.</summary>
    public void ForChunks(Action<int, int, int> body) =>
        Context.Workers.ForChunks(Count, ChunkSize, (from, to, _) => body(from / ChunkSize, from, to));

    /// <summary>The same with the number of the worker.</summary>
    public void ForChunks(Action<int, int, int, int> body) =>
        Context.Workers.ForChunks(Count, ChunkSize, (from, to, worker) => body(from / ChunkSize, from, to, worker));

    // Host objects' sections are text symbols that contain the functions in them; only these are described (findContainerSyms).
    private static HashSet<SymbolId> Containers(LinkContext ctx)
    {
        HashSet<SymbolId> containers = [];
        if (ctx.Symbols.Sub.Count == 0)
        {
            return containers;
        }
        foreach (SymbolId s in ctx.Text)
        {
            SymbolId outer = ctx.Symbols.Outer(s);
            if (!outer.IsNone)
            {
                containers.Add(outer);
            }
        }
        return containers;
    }

    private static bool IsLocalLabel(ReadOnlySpan<byte> name) => name.IsEmpty || name.StartsWith(".L"u8);
}
