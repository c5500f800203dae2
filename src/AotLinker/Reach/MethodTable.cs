using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Reach;

/// <summary>A method of a type used in an interface.</summary>
/// <param name="Type">The type.</param>
/// <param name="Reloc">Index of the first of the method's three relocations there.</param>
/// <param name="Name">The symbol of its name; none if its record has no name.</param>
/// <param name="Signature">Its own type, the target of the first relocation.</param>
internal readonly record struct MethodRef(SymbolId Type, int Reloc, SymbolId Name, SymbolId Signature);

/// <summary>The name of a method, by its symbol, and the hash of its text.</summary>
internal readonly record struct MethodName(SymbolId Symbol, uint Hash);

/// <summary>A method of an interface that is called.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Signature">Its type.</param>
internal readonly record struct MethodCall(MethodName Name, SymbolId Signature);

/// <summary>
/// The methods that live only if something may call them, and what has been seen of calls: a method is looked at once with what is known
/// when its type turns up, and then only when a call of its signature, a new name, or reflection comes up.
/// </summary>
internal sealed class MethodTable(LinkContext ctx, FloodRules rules) : IDisposable
{
    private const int Chunk = 512;

    private readonly SymbolTable _symbols = ctx.Symbols;

    // The names that are called by signature, and all pairs of the two.
    private readonly Dictionary<int, List<MethodName>> _called = [];
    private readonly HashSet<ulong> _calls = [];
    private readonly List<MethodCall> _newCalls = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);

    // Methods that nothing calls yet, and the last one of each signature.
    private readonly NativeList<Waiting> _waiting = new();
    private readonly Dictionary<int, int> _last = [];
    private bool _reflectLooked;
    private int _namesLooked;

    /// <inheritdoc/>
    public void Dispose() => _waiting.Dispose();

    /// <summary>The hash of a method's name.</summary>
    public static uint HashOf(ReadOnlySpan<byte> name) => (uint)NameTable.Hash(name, 0);

    /// <summary>Takes over what a part of the flood has seen of calls.</summary>
    public void TakeCalls(FloodWorker w)
    {
        foreach (MethodCall call in w.IfaceMethods.AsSpan())
        {
            if (_calls.Add(((ulong)(uint)call.Name.Symbol.Index << 32) | (uint)call.Signature.Index))
            {
                ref List<MethodName>? names = ref CollectionsMarshal.GetValueRefOrAddDefault(_called, call.Signature.Index, out _);
                (names ??= []).Add(call.Name);
                _newCalls.Add(call);
            }
        }
        w.IfaceMethods.Clear();
        foreach (SymbolId name in w.NamedMethods)
        {
            _names.Add(Encoding.UTF8.GetString(_symbols.Data(name)));
        }
        w.NamedMethods.Clear();
    }

    /// <summary>
    /// Marks the methods that may be called, each where it stands in the order in which methods turned up; false if that made nothing live.
    /// </summary>
    public bool MarkCallable(FloodWorker[] workers)
    {
        MarkWaiting(workers);
        LookAtNew(workers);
        return workers.Any(w => w.HasWork);
    }

    // What new calls, names and reflection say of the methods that wait.
    private void MarkWaiting(FloodWorker[] workers)
    {
        using NativeList<int> live = new();
        foreach ((MethodName name, SymbolId signature) in _newCalls)
        {
            TakeCalled(name, signature, live);
        }
        _newCalls.Clear();
        if ((rules.ReflectSeen && !_reflectLooked) || _names.Count != _namesLooked)
        {
            TakeCalledByName(live);
        }
        _reflectLooked = rules.ReflectSeen;
        _namesLooked = _names.Count;
        live.AsSpan().Sort();
        Share(workers, live.Count, (from, to, worker) =>
        {
            foreach (int i in live.AsSpan()[from..to])
            {
                worker.MarkMethod(_waiting[i].Method);
            }
        });
    }

    // Those of a signature that a name is called of, which is their list without those that live.
    private void TakeCalled(MethodName name, SymbolId signature, NativeList<int> live)
    {
        ref int link = ref CollectionsMarshal.GetValueRefOrNullRef(_last, signature.Index);
        if (Unsafe.IsNullRef(ref link))
        {
            return;
        }
        while (link >= 0)
        {
            ref Waiting method = ref _waiting[link];
            if (!method.IsLive && AreSame(name, new MethodName(method.Method.Name, method.NameHash)))
            {
                method.IsLive = true;
                live.Add(link);
            }
            if (method.IsLive)
            {
                link = method.Previous;
            }
            else
            {
                link = ref method.Previous;
            }
        }
    }

    private void TakeCalledByName(NativeList<int> live)
    {
        bool[] isCalled = new bool[_waiting.Count];
        ctx.Workers.ForChunks(isCalled.Length, Chunk, (from, to, _) =>
        {
            for (int i = from; i < to; i++)
            {
                isCalled[i] = !_waiting[i].IsLive && IsCalledByName(NameOf(_waiting[i].Method.Name));
            }
        });
        for (int i = 0; i < isCalled.Length; i++)
        {
            if (isCalled[i])
            {
                _waiting[i].IsLive = true;
                live.Add(i);
            }
        }
    }

    // Methods that have turned up since. Most are called at once where there is reflection.
    private void LookAtNew(FloodWorker[] workers)
    {
        foreach (FloodWorker source in workers)
        {
            NativeList<MethodRef> methods = source.Methods;
            Waiting[][] waiting = new Waiting[(methods.Count + Chunk - 1) / Chunk][];
            Share(workers, methods.Count, (from, to, worker) =>
            {
                List<Waiting> own = [];
                foreach (ref readonly MethodRef method in methods.AsSpan()[from..to])
                {
                    if (IsCallable(method, out uint nameHash))
                    {
                        worker.MarkMethod(method);
                    }
                    else
                    {
                        own.Add(new Waiting { Method = method, NameHash = nameHash });
                    }
                }
                waiting[from / Chunk] = [.. own];
            });
            foreach (Waiting[] some in waiting)
            {
                foreach (Waiting method in some)
                {
                    Await(method);
                }
            }
            methods.Clear();
        }
    }

    private void Await(Waiting method)
    {
        ref int last = ref CollectionsMarshal.GetValueRefOrAddDefault(_last, method.Method.Signature.Index, out bool exists);
        method.Previous = exists ? last : -1;
        last = _waiting.Count;
        _waiting.Add(method);
    }

    // Runs a loop in chunks. The only worker of an ordered flood takes them in order.
    private void Share(FloodWorker[] workers, int count, Action<int, int, FloodWorker> body)
    {
        if (workers.Length == 1)
        {
            for (int from = 0; from < count; from += Chunk)
            {
                body(from, Math.Min(count, from + Chunk), workers[0]);
            }
        }
        else
        {
            ctx.Workers.ForChunks(count, Chunk, (from, to, worker) => body(from, to, workers[worker]));
        }
    }

    private bool IsCallable(in MethodRef m, out uint nameHash)
    {
        nameHash = 0;
        ReadOnlySpan<byte> name = NameOf(m.Name);
        if (IsCalledByName(name))
        {
            return true;
        }
        MethodName own = new(m.Name, nameHash = HashOf(name));
        if (_called.TryGetValue(m.Signature.Index, out List<MethodName>? calls))
        {
            foreach (MethodName call in calls)
            {
                if (AreSame(call, own))
                {
                    return true;
                }
            }
        }
        return false;
    }

    private bool IsCalledByName(ReadOnlySpan<byte> name)
    {
        if (rules.IsCalledByReflection(name))
        {
            return true;
        }
        if (_names.Count == 0)
        {
            return false;
        }
        Span<char> chars = stackalloc char[256];
        return name.Length <= chars.Length
            ? _names.GetAlternateLookup<ReadOnlySpan<char>>().Contains(chars[..Encoding.UTF8.GetChars(name, chars)])
            : _names.Contains(Encoding.UTF8.GetString(name));
    }

    // Names of different packages, or with and without a tag, are different symbols with the same text.
    private bool AreSame(MethodName a, MethodName b) =>
        a.Symbol == b.Symbol || (a.Hash == b.Hash && NameOf(a.Symbol).SequenceEqual(NameOf(b.Symbol)));

    private ReadOnlySpan<byte> NameOf(SymbolId s) => s.IsNone ? default : TypeDescriptor.DecodeName(_symbols, s);

    private struct Waiting
    {
        public MethodRef Method;
        public uint NameHash;

        /// <summary>The one before it of the same signature; -1 for none.</summary>
        public int Previous;

        /// <summary>Whether it has been marked after all.</summary>
        public bool IsLive;
    }
}
