using System.Text;
using AotLinker.Objects;
using AotLinker.Reach;

namespace AotLinker.Explain;

/// <summary>Puts the steps of a way into words.</summary>
internal sealed class WaySteps(LinkContext ctx, ReachWalk walk, SymbolPackages packages)
{
    private readonly SymbolTable _symbols = ctx.Symbols;

    /// <summary>A symbol's name, or what it is where it has none.</summary>
    public string Name(SymbolId s) => _symbols.NameText(s) is { Length: > 0 } name ? name
        : $"({(_symbols.Kind(s).IsText() ? "function" : _symbols.Kind(s).IsDwarf() ? "debug information" : "data")} without a name, of {packages.Name(packages.Of(s))})";

    /// <summary>How a symbol is reached from the one in front, in a word or two, and what is to be said beside it.</summary>
    public (string Edge, string Note) Describe(SymbolId s)
    {
        SymbolId from = walk.Parent(s);
        Edge edge = walk.EdgeTo(s);
        return edge.Kind switch
        {
            EdgeKind.Root => DescribeRoot(edge.Root),
            EdgeKind.DebugInfo => ("debug info", ""),
            EdgeKind.Table => ("table", ""),
            EdgeKind.Container => ("part of", ""),
            EdgeKind.Part => ("contains", ""),
            EdgeKind.Method => ("method", DescribeMethod(edge.Method)),
            _ => DescribeRelocation(from, s, edge.Reloc),
        };
    }

    private static (string Edge, string Note) DescribeRoot(RootKind root) => root switch
    {
        RootKind.Entry => ("entry point", ""),
        RootKind.DeadMethod => ("always kept", "called in the place of methods that are not in the program"),
        RootKind.InitTasks => ("start", "the packages' initialisers"),
        RootKind.Plugin => ("exported", "to the program that loads the plugin"),
        RootKind.DynamicExport => ("exported", "to other modules"),
        RootKind.WasmExport => ("exported", "to the host"),
        _ => ("kept", "a library keeps all that it has"),
    };

    private (string Edge, string Note) DescribeRelocation(SymbolId from, SymbolId to, int reloc)
    {
        ReadOnlySpan<byte> name = _symbols.Name(to);
        if (name.EndsWith("..inittask"u8) && _symbols.Kind(from) != SymbolKind.Text)
        {
            return ("initialises", ImportsTo(to));
        }
        if (_symbols.Name(from).EndsWith("..inittask"u8))
        {
            return ("runs", "");
        }
        string note = Linkname(to);
        if ((_symbols.Flags(to) & SymbolFlags.GoType) != 0)
        {
            return (_symbols.Kind(from).IsText() ? "type" : "of type", note);
        }
        if ((_symbols.Flags2(to) & SymbolFlags2.Itab) != 0)
        {
            return ("itab", note);
        }
        if ((_symbols.Flags2(to) & SymbolFlags2.Dict) != 0)
        {
            return ("dictionary", note);
        }
        if ((_symbols.Flags2(from) & SymbolFlags2.Itab) != 0 && _symbols.Kind(to).IsText())
        {
            return ("method", "in the table of methods");
        }
        return (_symbols.Relocs(from).Kind(reloc).IsDirectCall() ? "calls" : "refers to", note);
    }

    // A function that stands in another package than its name says.
    private string Linkname(SymbolId s)
    {
        if (_symbols.Origin(s, out int local) is not { } o || local < o.DefCount || _symbols.IsDupOk(s))
        {
            return "";
        }
        int named = packages.ByPrefix(_symbols.Name(s), -1);
        return named < 0 || packages.Name(named) == o.Package.Path ? "" : $"by go:linkname, defined in {o.Package.Path}";
    }

    private string DescribeMethod(in LiveMethod method)
    {
        string type = TypeName(method.Type);
        string user = UserInIface(method.Type);
        string name = walk.MethodName(method);
        return method.Reason switch
        {
            CallReason.Interface => $"{name} of {type}{user}; {TypeName(method.Interface)}.{name}, of the same signature, is called in {Name(method.Caller)}",
            CallReason.Name => $"{name} of {type}{user}; reflection finds methods of this name in {Name(method.Caller)}",
            _ => method.Caller.IsNone
                ? $"{name} of {type}{user}; another module may call it"
                : $"{name} of {type}{user}; reflection may call any exported method because of {Name(method.Caller)}",
        };
    }

    private string UserInIface(SymbolId type)
    {
        SymbolId user = walk.UserInIface(type);
        if (user.IsNone)
        {
            return ", which is used in an interface";
        }
        if (_symbols.Kind(user).IsText())
        {
            return $", which is used in an interface in {Name(user)}";
        }
        // It is met by reflection on another type, which itself is used somewhere.
        HashSet<SymbolId> seen = [type];
        while (!_symbols.Kind(user).IsText() && seen.Add(user) && walk.UserInIface(user) is { IsNone: false } next)
        {
            user = next;
        }
        return _symbols.Kind(user).IsText()
            ? $", which reflection gets to from a type that is used in an interface in {Name(user)}"
            : ", which reflection gets to from a type that is used in an interface";
    }

    private string TypeName(SymbolId type)
    {
        string name = _symbols.NameText(type);
        return name.StartsWith("type:", StringComparison.Ordinal) ? name[5..] : name.Length == 0 ? "a type without a name" : name;
    }

    // The shortest way of imports to a package, as their initialisers say.
    private string ImportsTo(SymbolId task)
    {
        foreach (ReadOnlyMemory<byte> start in Starts)
        {
            Dictionary<SymbolId, SymbolId> importer = [];
            Queue<SymbolId> queue = [];
            SymbolId root = _symbols.Lookup(start.Span, 0);
            if (root.IsNone)
            {
                continue;
            }
            importer.Add(root, default);
            queue.Enqueue(root);
            while (queue.TryDequeue(out SymbolId at))
            {
                if (at == task)
                {
                    return Imports(importer, task);
                }
                RelocList relocs = _symbols.Relocs(at);
                for (int i = 0; i < relocs.Count; i++)
                {
                    if (relocs.Kind(i) == RelocKind.InitOrder && importer.TryAdd(relocs.Target(i), at))
                    {
                        queue.Enqueue(relocs.Target(i));
                    }
                }
            }
        }
        return "";
    }

    private static readonly ReadOnlyMemory<byte>[] Starts = ["main..inittask"u8.ToArray(), "runtime..inittask"u8.ToArray()];

    private string Imports(Dictionary<SymbolId, SymbolId> importer, SymbolId task)
    {
        StringBuilder text = new();
        for (SymbolId at = importer[task]; !at.IsNone; at = importer[at])
        {
            text.Append(text.Length == 0 ? "imported by " : ", that by ").Append(packages.Name(packages.Of(at)));
        }
        return text.ToString();
    }
}
