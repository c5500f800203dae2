using System.Globalization;
using System.Text;
using AotLinker.Load;
using AotLinker.Mapping;
using AotLinker.Objects;
using AotLinker.Reach;

namespace AotLinker.Explain;

/// <summary>
/// Answers AOTLINK_WHY: for each question the shortest way from a root to what is meant, a line for each step; then what keeps methods.
/// </summary>
internal sealed class Why
{
    private readonly LinkContext _ctx;
    private readonly ReachOptions _options;
    private readonly WhyRequest _request;
    private readonly HashSet<SymbolId> _usedInIface;
    private readonly StringBuilder _text = new();
    private bool _usesReflection;

    /// <summary>Before reach.</summary>
    public Why(LinkContext ctx, ReachOptions options, WhyRequest request)
    {
        _ctx = ctx;
        _options = options;
        _request = request;
        _usedInIface = ReachWalk.TypesUsedInIface(ctx.Symbols);
    }

    /// <summary>After reach: the answers as text, to be shown when the link has succeeded.</summary>
    public LinkReport Answer()
    {
        SymbolPackages packages = new(_ctx);
        using ReachWalk walk = ReachWalk.Run(_ctx, _options, _usedInIface);
        foreach (string text in _request.Questions)
        {
            Answer(walk, packages, new WhyQuestion(_ctx, packages, text));
            _text.Append('\n');
        }
        AddMethods(walk);
        return new LinkReport(_request.File, HostPath.Encode(_text.ToString()));
    }

    private void Answer(ReachWalk walk, SymbolPackages packages, WhyQuestion question)
    {
        if (question.Count == 0)
        {
            Line($"{question.Text}: no object has a symbol of this name, no package this import path");
            return;
        }
        SymbolId nearest = question.Nearest(walk);
        string which = question.Kind switch
        {
            QuestionKind.Name => "",
            QuestionKind.Package => string.Create(CultureInfo.InvariantCulture, $"package with {question.Count} symbols, "),
            _ => string.Create(CultureInfo.InvariantCulture, $"{question.Count} symbols, "),
        };
        if (nearest.IsNone)
        {
            if (question.Live.Count != 0)
            {
                Line($"{question.Text}: {WithoutWay(packages, question.Live[0])}");
            }
            else
            {
                AnswerDead(walk, packages, question, which);
            }
            return;
        }
        int reached = question.Reached(walk);
        string others = reached == question.Live.Count ? "" : ", beside what no way leads to (C, and what the linker itself put there)";
        Line(question.Kind == QuestionKind.Name
            ? $"{question.Text}:"
            : string.Create(CultureInfo.InvariantCulture, $"{question.Text}: {which}{reached} of them in the program{others}; the nearest:"));
        AddWay(walk, packages, nearest);
        if (question.Kind == QuestionKind.Package && IsInitTask(nearest))
        {
            AddOtherWay(packages, question, nearest);
        }
    }

    // Functions without code of their own may be in the program all the same, in others.
    private void AnswerDead(ReachWalk walk, SymbolPackages packages, WhyQuestion question, string which)
    {
        SymbolId inliner = NearestInliner(walk, packages, question, out int count);
        string inlined = string.Create(CultureInfo.InvariantCulture, $"inlined in {count} function{(count == 1 ? "" : "s")}; the nearest:");
        Line((question.Kind == QuestionKind.Name, inliner.IsNone) switch
        {
            (true, true) => $"{question.Text}: not in the program: nothing that is live refers to it",
            (false, true) => $"{question.Text}: {which}none of them in the program: nothing that is live refers to one",
            (true, false) => $"{question.Text}: not in the program as a function of its own, but {inlined}",
            (false, false) => $"{question.Text}: {which}none of them in the program, but functions among them {inlined}",
        });
        if (!inliner.IsNone)
        {
            AddWay(walk, packages, inliner);
        }
    }

    // The function that is nearest to a root of those that have the code of what is meant, and how many there are; none if there is none.
    private SymbolId NearestInliner(ReachWalk walk, SymbolPackages packages, WhyQuestion question, out int count)
    {
        SymbolTable symbols = _ctx.Symbols;
        SymbolId nearest = default;
        count = 0;
        for (int i = 1; i < symbols.Count; i++)
        {
            SymbolId s = new(i);
            if (!symbols.IsReachable(s) || !symbols.Kind(s).IsText() || walk.Distance(s) == 0 || !Inlines(s))
            {
                continue;
            }
            count++;
            nearest = nearest.IsNone || walk.Distance(s) < walk.Distance(nearest) ? s : nearest;
        }
        return nearest;

        bool Inlines(SymbolId s)
        {
            FuncInfo info = new(symbols.FuncInfo(s, out GoObject? owner), owner);
            for (int k = 0; k < info.InlineCount; k++)
            {
                if (question.Means(packages, symbols.Resolve(owner!, info.Inlined(k).Function)))
                {
                    return true;
                }
            }
            return false;
        }
    }

    // What reach leaves alone, for it is live before: C objects are linked as a whole, and the linker adds symbols of its own.
    private string WithoutWay(SymbolPackages packages, SymbolId s) =>
        _ctx.Symbols.Kind(s) == SymbolKind.DynImport ? "imported from a shared library, for an object in C"
        : packages.Name(packages.Of(s)).StartsWith("(C", StringComparison.Ordinal) ? "part of an object in C, which is in the program as a whole"
        : "in the program, where the linker itself put it";

    // That a package is initialised says little about what it is needed for.
    private void AddOtherWay(SymbolPackages packages, WhyQuestion question, SymbolId task)
    {
        using ReachWalk walk = ReachWalk.Run(_ctx, _options, _usedInIface, without: task);
        SymbolId nearest = question.Nearest(walk);
        if (nearest.IsNone)
        {
            Line($"Nothing else of {question.Text} is in the program but what its initialisation needs.");
            return;
        }
        Line(string.Create(CultureInfo.InvariantCulture, $"Were it not initialised, {question.Reached(walk)} of its symbols would still be in the program; the nearest:"));
        AddWay(walk, packages, nearest);
    }

    private void AddWay(ReachWalk walk, SymbolPackages packages, SymbolId s)
    {
        List<SymbolId> way = [s];
        for (SymbolId at = walk.Parent(s); !at.IsNone; at = walk.Parent(at))
        {
            way.Add(at);
        }
        WaySteps steps = new(_ctx, walk, packages);
        for (int i = way.Count - 1; i >= 0; i--)
        {
            (string edge, string note) = steps.Describe(way[i]);
            _text.Append(CultureInfo.InvariantCulture, $"  {edge,-12} {steps.Name(way[i])}{(note.Length == 0 ? "" : "   ")}{note}\n");
            _usesReflection |= walk.EdgeTo(way[i]) is { Kind: EdgeKind.Method, Method.Reason: CallReason.Reflection };
        }
    }

    // What makes the linker keep methods that nothing seems to call.
    private void AddMethods(ReachWalk walk)
    {
        const int Most = 5;
        if (_ctx.Target.IsDynlinkingGo)
        {
            Line("Methods: another module may call any method of a type that is used in an interface, so all are kept.");
            return;
        }
        if (walk.Reflecting.Count == 0)
        {
            Line("Methods: of types that are used in interfaces only methods that are called are kept; no function of the program has reflection find others.");
            return;
        }
        Line("Methods: all exported methods of types that are used in interfaces are kept, for reflection may find them by number or by a name that");
        Line("is no constant (reflect's Method and MethodByName). What does so, the nearest first:");
        foreach (SymbolId function in walk.Reflecting.Take(Most))
        {
            Line($"  {_ctx.Symbols.NameText(function)}");
        }
        int others = walk.Reflecting.Count - Most;
        if (others > 0)
        {
            Line(string.Create(CultureInfo.InvariantCulture, $"  … and {others} more"));
        }
        if (_usesReflection)
        {
            SymbolId first = walk.Reflecting[0];
            Line($"The way to {_ctx.Symbols.NameText(first)}:");
            AddWay(walk, new SymbolPackages(_ctx), first);
        }
    }

    private bool IsInitTask(SymbolId s) => _ctx.Symbols.Name(s).EndsWith("..inittask"u8);

    private void Line(string line) => _text.Append(line).Append('\n');
}
