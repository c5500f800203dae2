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

/// <summary>
/// The methods that live only if something may call them, and what has been seen of calls: a method is looked at once with what is known
/// when its type turns up, and then only when a call of its signature, a new name, or reflection comes up.
/// </summary>
internal sealed class MethodTable(LinkContext ctx) : IDisposable
{
    private readonly SymbolTable _symbols = ctx.Symbols;
    private readonly NativeList<MethodRef> _methods = new();
    private readonly Dictionary<int, List<SymbolId>> _called = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal);
    private readonly List<(SymbolId Name, SymbolId Signature)> _newCalls = [];

    // For each method whether it lives, and the one before it of the same signature, -1 for none; for each signature the last one.
    private readonly NativeList<bool> _isLive = new();
    private readonly NativeList<int> _previous = new();
    private readonly Dictionary<int, int> _last = [];
    private bool _reflectLooked;
    private int _namesLooked;

    /// <summary>Whether reflection may call any exported method.</summary>
    public bool ReflectSeen { get; set; }

    /// <inheritdoc/>
    public void Dispose()
    {
        _methods.Dispose();
        _isLive.Dispose();
        _previous.Dispose();
    }

    /// <summary>Takes over what a part of the flood has seen.</summary>
    public void Take(FloodWorker w)
    {
        ReflectSeen |= w.ReflectSeen;
        _methods.AddRange(w.Methods.AsSpan());
        w.Methods.Clear();
        foreach ((SymbolId name, SymbolId signature) in w.IfaceMethods.AsSpan())
        {
            if (!_called.TryGetValue(signature.Index, out List<SymbolId>? list))
            {
                _called.Add(signature.Index, list = []);
            }
            if (!list.Contains(name))
            {
                list.Add(name);
                _newCalls.Add((name, signature));
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
        using NativeList<int> live = new();
        foreach ((SymbolId name, SymbolId signature) in _newCalls)
        {
            for (int i = _last.GetValueOrDefault(signature.Index, -1); i >= 0; i = _previous[i])
            {
                if (!_isLive[i] && AreSame(name, _methods[i].Name))
                {
                    Add(i);
                }
            }
        }
        _newCalls.Clear();
        int looked = _previous.Count;
        if ((ReflectSeen && !_reflectLooked) || _names.Count != _namesLooked)
        {
            for (int i = 0; i < looked; i++)
            {
                if (!_isLive[i] && IsCalledByName(NameOf(_methods[i].Name)))
                {
                    Add(i);
                }
            }
        }
        _reflectLooked = ReflectSeen;
        _namesLooked = _names.Count;
        // New methods come behind all others, in order.
        live.AsSpan().Sort();
        LookAtNew(looked, live);
        Mark(workers, live);
        return workers.Any(w => w.HasWork);

        void Add(int i)
        {
            _isLive[i] = true;
            live.Add(i);
        }
    }

    // Methods that have turned up since.
    private void LookAtNew(int from, NativeList<int> live)
    {
        bool[] isCallable = new bool[_methods.Count - from];
        ctx.Workers.ForChunks(isCallable.Length, 512, (start, end, _) =>
        {
            for (int i = start; i < end; i++)
            {
                isCallable[i] = IsCallable(_methods[from + i]);
            }
        });
        for (int i = from; i < _methods.Count; i++)
        {
            int previous = -1;
            if (isCallable[i - from])
            {
                live.Add(i);
            }
            else
            {
                ref int last = ref CollectionsMarshal.GetValueRefOrAddDefault(_last, _methods[i].Signature.Index, out bool exists);
                previous = exists ? last : -1;
                last = i;
            }
            _isLive.Add(isCallable[i - from]);
            _previous.Add(previous);
        }
    }

    private void Mark(FloodWorker[] workers, NativeList<int> live)
    {
        if (workers.Length == 1)
        {
            MarkRange(workers[0], 0, live.Count);
        }
        else
        {
            ctx.Workers.ForChunks(live.Count, 256, (from, to, worker) => MarkRange(workers[worker], from, to));
        }

        void MarkRange(FloodWorker w, int from, int to)
        {
            foreach (int i in live.AsSpan()[from..to])
            {
                MethodRef m = _methods[i];
                RelocList relocs = _symbols.Relocs(m.Type);
                for (int n = 0; n < 3; n++)
                {
                    w.Mark(relocs.Target(m.Reloc + n), m.Type);
                }
            }
        }
    }

    private bool IsCallable(in MethodRef m)
    {
        if (_called.TryGetValue(m.Signature.Index, out List<SymbolId>? names))
        {
            foreach (SymbolId name in names)
            {
                if (AreSame(name, m.Name))
                {
                    return true;
                }
            }
        }
        return (ReflectSeen || _names.Count != 0) && IsCalledByName(NameOf(m.Name));
    }

    private bool IsCalledByName(ReadOnlySpan<byte> name)
    {
        if (ReflectSeen && (ctx.Target.IsDynlinkingGo || IsExported(name)))
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
    private bool AreSame(SymbolId a, SymbolId b) => a == b || NameOf(a).SequenceEqual(NameOf(b));

    private ReadOnlySpan<byte> NameOf(SymbolId s) => s.IsNone ? default : TypeDescriptor.DecodeName(_symbols, s);

    private static bool IsExported(ReadOnlySpan<byte> name) =>
        Rune.DecodeFromUtf8(name, out Rune first, out _) == System.Buffers.OperationStatus.Done && Rune.IsUpper(first);
}
