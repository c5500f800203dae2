using System.Runtime.InteropServices;
using System.Text;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Reach;

namespace AotLinker.Explain;

/// <summary>
/// The methods of types used in interfaces, and what was found to call methods: who was the first to call one of a name and signature, or to ask
/// for one by a constant name.
/// </summary>
internal sealed class CallableMethods(SymbolTable symbols, FloodRules rules) : IDisposable
{
    private readonly NativeList<LiveMethod> _methods = new();
    private readonly List<int> _waiting = [];
    private readonly Dictionary<string, int> _names = new(StringComparer.Ordinal);
    private readonly List<string> _texts = [];
    private readonly Dictionary<(int Signature, int Name), (SymbolId Caller, SymbolId Interface)> _calls = [];
    private readonly Dictionary<int, SymbolId> _callsByName = [];
    private SymbolId _reflecting;

    /// <summary>The i-th method.</summary>
    public ref readonly LiveMethod this[int i] => ref _methods[i];

    /// <summary>A method's name by its number.</summary>
    public string NameText(int name) => _texts[name];

    /// <summary>A method turns up.</summary>
    /// <param name="type">Its type.</param>
    /// <param name="reloc">Index of the first of its relocations.</param>
    /// <param name="name">The symbol of its name; may be none.</param>
    /// <param name="signature">Its own type.</param>
    public void AddMethod(SymbolId type, int reloc, SymbolId name, SymbolId signature)
    {
        _waiting.Add(_methods.Count);
        _methods.Add(new LiveMethod(type, reloc, signature, NameOf(name)));
    }

    /// <summary>A function calls the method that stands at an offset of an interface's descriptor.</summary>
    public void AddCall(SymbolId caller, SymbolId type, long offset)
    {
        if (symbols.Kind(type) is SymbolKind.DynImport or SymbolKind.None)
        {
            // Of a shared library.
            return;
        }
        TypeDescriptor descriptor = new(symbols, type);
        SymbolId signature = descriptor.TargetAt((int)offset + 4);
        _calls.TryAdd((signature.Index, NameOf(descriptor.TargetAt((int)offset))), (caller, type));
    }

    /// <summary>A function has reflection look up a method by a name that is a string constant.</summary>
    public void AddName(SymbolId caller, SymbolId name) => _callsByName.TryAdd(Number(symbols.Data(name)), caller);

    /// <summary>Says which function was the first to let reflection call any exported method; none where another module may.</summary>
    public void SetReflecting(SymbolId function) => _reflecting = function;

    /// <summary>
    /// The methods that may be called by what is known now and could not before, in the order in which they turned up, with the reason that
    /// says most.
    /// </summary>
    public List<int> TakeCallable()
    {
        List<int> callable = [];
        int left = 0;
        foreach (int i in CollectionsMarshal.AsSpan(_waiting))
        {
            ref LiveMethod method = ref _methods[i];
            if (_calls.TryGetValue((method.Signature.Index, method.Name), out (SymbolId Caller, SymbolId Interface) call))
            {
                (method.Reason, method.Caller, method.Interface) = (CallReason.Interface, call.Caller, call.Interface);
            }
            else if (_callsByName.TryGetValue(method.Name, out SymbolId caller))
            {
                (method.Reason, method.Caller) = (CallReason.Name, caller);
            }
            else if (rules.IsCalledByReflection(Encoding.UTF8.GetBytes(_texts[method.Name])))
            {
                (method.Reason, method.Caller) = (CallReason.Reflection, _reflecting);
            }
            else
            {
                _waiting[left++] = i;
                continue;
            }
            callable.Add(i);
        }
        _waiting.RemoveRange(left, _waiting.Count - left);
        return callable;
    }

    /// <inheritdoc/>
    public void Dispose() => _methods.Dispose();

    private int NameOf(SymbolId name) => Number(name.IsNone ? default : TypeDescriptor.DecodeName(symbols, name));

    private int Number(ReadOnlySpan<byte> name)
    {
        Span<char> chars = stackalloc char[256];
        ReadOnlySpan<char> text = name.Length <= chars.Length ? chars[..Encoding.UTF8.GetChars(name, chars)] : Encoding.UTF8.GetString(name);
        ref int number = ref CollectionsMarshal.GetValueRefOrAddDefault(_names.GetAlternateLookup<ReadOnlySpan<char>>(), text, out bool isKnown);
        if (!isKnown)
        {
            number = _texts.Count;
            _texts.Add(text.ToString());
        }
        return number;
    }
}
