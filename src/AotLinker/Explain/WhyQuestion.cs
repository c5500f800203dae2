using System.Text;
using AotLinker.Load;
using AotLinker.Objects;

namespace AotLinker.Explain;

/// <summary>One question, and what was found: which symbols are meant, how many of them are live, and which was reached first.</summary>
internal sealed class WhyQuestion
{
    private readonly LinkContext _ctx;
    private readonly byte[] _name;
    private readonly int _package;
    private readonly byte[][] _parts;

    /// <summary>Reads a question: the name of a symbol, the import path of a package, or a pattern whose stars stand for anything.</summary>
    public WhyQuestion(LinkContext ctx, SymbolPackages packages, string text)
    {
        _ctx = ctx;
        Text = text;
        _name = Encoding.UTF8.GetBytes(Escaped(ctx, text));
        _package = packages.Find(text);
        _parts = [.. text.Split('*').Select(Encoding.UTF8.GetBytes)];
        // Names have stars, too: a pattern is what is no name.
        Find(packages, QuestionKind.Name);
        if (Count == 0 && _package >= 0)
        {
            Find(packages, QuestionKind.Package);
        }
        else if (Count == 0 && _parts.Length > 1)
        {
            Find(packages, QuestionKind.Pattern);
        }
    }

    /// <summary>The question as it was asked.</summary>
    public string Text { get; }

    /// <summary>What it turned out to be.</summary>
    public QuestionKind Kind { get; private set; }

    /// <summary>How many symbols are meant.</summary>
    public int Count { get; private set; }

    /// <summary>Those of them that are live, in the order of ids.</summary>
    public List<SymbolId> Live { get; } = [];

    /// <summary>One of those that are meant; none if there is none.</summary>
    public SymbolId Any { get; private set; }

    /// <summary>The live symbol that is nearest to a root, of several the one with the lowest id; none if no way leads to any.</summary>
    public SymbolId Nearest(ReachWalk walk)
    {
        SymbolId nearest = default;
        int least = int.MaxValue;
        foreach (SymbolId s in Live)
        {
            if (walk.Distance(s) is not 0 and var distance && distance < least)
            {
                (nearest, least) = (s, distance);
            }
        }
        return nearest;
    }

    /// <summary>Number of live symbols that a walk found a way to.</summary>
    public int Reached(ReachWalk walk) => Live.Count(s => walk.Distance(s) != 0);

    /// <summary>Whether a symbol is meant.</summary>
    public bool Means(SymbolPackages packages, SymbolId s) => IsMeant(packages, Kind, s);

    /// <summary>Whether a name fits a pattern, given as what stands between its stars.</summary>
    public static bool Fits(ReadOnlySpan<byte> name, ReadOnlySpan<byte[]> parts)
    {
        if (!name.StartsWith(parts[0]))
        {
            return false;
        }
        name = name[parts[0].Length..];
        foreach (byte[] part in parts[1..^1])
        {
            int at = name.IndexOf(part);
            if (at < 0)
            {
                return false;
            }
            name = name[(at + part.Length)..];
        }
        return name.EndsWith(parts[^1]);
    }

    private void Find(SymbolPackages packages, QuestionKind kind)
    {
        SymbolTable symbols = _ctx.Symbols;
        Kind = kind;
        for (int i = 1; i < symbols.Count; i++)
        {
            SymbolId s = new(i);
            if (!IsMeant(packages, kind, s))
            {
                continue;
            }
            Count++;
            if (Any.IsNone)
            {
                Any = s;
            }
            if (symbols.IsReachable(s))
            {
                Live.Add(s);
            }
        }
    }

    private bool IsMeant(SymbolPackages packages, QuestionKind kind, SymbolId s)
    {
        SymbolTable symbols = _ctx.Symbols;
        // What is referred to and defined nowhere is no symbol of the program.
        return (symbols.Kind(s) != SymbolKind.None || symbols.IsReachable(s)) && kind switch
        {
            QuestionKind.Name => symbols.Name(s).SequenceEqual(_name),
            QuestionKind.Package => !symbols.Kind(s).IsDwarf() && packages.Of(s) == _package && !packages.IsOfAnybody(s),
            _ => symbols.Name(s) is { IsEmpty: false } name && Fits(name, _parts),
        };
    }

    // Symbols have import paths in a form without dots in the last element.
    private static string Escaped(LinkContext ctx, string text)
    {
        foreach (Package package in ctx.Packages)
        {
            if (text.StartsWith(package.Path, StringComparison.Ordinal) && text.Length > package.Path.Length && text[package.Path.Length] == '.')
            {
                return ImportPath.Escape(package.Path) + text[package.Path.Length..];
            }
        }
        return text;
    }
}

/// <summary>What a question may be.</summary>
internal enum QuestionKind
{
    /// <summary>The name of one or more symbols.</summary>
    Name,
    /// <summary>A package's import path.</summary>
    Package,
    /// <summary>A pattern.</summary>
    Pattern,
}
