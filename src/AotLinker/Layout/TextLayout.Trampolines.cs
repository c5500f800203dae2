using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using AotLinker.Cpu;
using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Layout;

/// <summary>How a CPU's trampolines are named after their target: NAME, the addend with its sign, "-tramp" and a number.</summary>
internal enum TrampolineNaming
{
    /// <summary>The addend in hexadecimal.</summary>
    Hexadecimal,
    /// <summary>The addend in hexadecimal, left out if it is 0.</summary>
    HexadecimalUnlessZero,
    /// <summary>The addend in decimal.</summary>
    Decimal,
}

/// <summary>The second look at text that is too big for calls to reach all of it: which calls need a trampoline.</summary>
internal sealed partial class TextLayout
{
    // Beside the number of a function's calls: it also has relocations of a host object.
    private const int HostCall = 1 << 30;

    private readonly List<SymbolId> _trampolines = [];

    // Markers of text sections among the trampolines, which got their places with the section.
    private readonly HashSet<SymbolId> _placedMarkers = [];

    // For each target and addend, the trampolines made so far in the order of their numbers: index of the first one's link, plus one.
    private readonly Dictionary<(int Target, long Addend), int> _firstTrampoline = [];
    private readonly List<TrampolineLink> _links = [];

    /// <summary>
    /// Whether -debugtramp asks for a trampoline even though the call may reach its target: from one package to another.
    /// </summary>
    /// <param name="from">The caller.</param>
    /// <param name="to">The target.</param>
    /// <param name="alsoWithoutPackage">Whether functions that belong to no package get one as well when they call each other.</param>
    public bool ForcesTrampoline(SymbolId from, SymbolId to, bool alsoWithoutPackage) =>
        _ctx.Settings.DebugTrampolines > 1
        && (_symbols.PackagePath(from) is var package && (alsoWithoutPackage && package.Length == 0 || package != _symbols.PackagePath(to)));

    /// <summary>
    /// The trampoline that a call takes to reach a target: the first one made for it that lies near enough or has no place yet, which
    /// will be right behind the calling function; or a new one, to which the CPU must give its content and which it must then hand to
    /// <see cref="AddTrampoline"/>.
    /// </summary>
    /// <param name="target">Where the call leads.</param>
    /// <param name="addend">Added to the target's address.</param>
    /// <param name="naming">How the CPU names trampolines.</param>
    /// <param name="site">Address of the call.</param>
    /// <param name="lowest">Least distance from the call that it reaches.</param>
    /// <param name="highest">Greatest distance.</param>
    /// <param name="isNew">Whether the trampoline is yet to be made.</param>
    /// <param name="section">Index of the section that it must lie in, wherever that is; 0 if only the distance counts.</param>
    public SymbolId FindTrampoline(
        SymbolId target, long addend, TrampolineNaming naming, long site, long lowest, long highest, out bool isNew, int section = 0)
    {
        ref int next = ref CollectionsMarshal.GetValueRefOrAddDefault(_firstTrampoline, (target.Index, addend), out _);
        int number = 0;
        int last = 0;
        for (int link = next; link != 0; link = _links[link - 1].Next, number++)
        {
            last = link;
            SymbolId known = _links[link - 1].Symbol;
            if (IsUsable(known, site, lowest, highest, section))
            {
                isNew = false;
                return known;
            }
        }
        while (true)
        {
            SymbolId s = _symbols.LookupOrCreate(TrampolineName(target, addend, naming, number++), _symbols.Version(target));
            _symbols.Set(s, SymbolTable.Attributes.Reachable, true);
            if (_symbols.Name(target).SequenceEqual("runtime.deferreturn"u8))
            {
                _symbols.DeferReturnTrampolines.Add(s);
            }
            _links.Add(new TrampolineLink { Symbol = s });
            if (last == 0)
            {
                next = _links.Count;
            }
            else
            {
                CollectionsMarshal.AsSpan(_links)[last - 1].Next = _links.Count;
            }
            last = _links.Count;
            if (IsUsable(s, site, lowest, highest, section))
            {
                // Functions of equal names have their trampolines in common.
                isNew = _symbols.Kind(s) == SymbolKind.None;
                return s;
            }
        }
    }

    /// <summary>
    /// Adds a trampoline, to be laid down behind the function whose calls are being looked at (AddTramp). Its content is already there.
    /// </summary>
    public void AddTrampoline(SymbolId s, SymbolKind kind)
    {
        _symbols.Update(s).SetKind(kind).Set(SymbolTable.Attributes.Reachable | SymbolTable.Attributes.OnList);
        _trampolines.Add(s);
        if (_ctx.Settings.DebugTrampolines > 0 && _ctx.Diagnostics.Verbosity > 0)
        {
            _ctx.Diagnostics.Log($"trampoline {_symbols.NameText(s)} inserted");
        }
    }

    // A trampoline of that name in another module is of no use.
    private bool IsUsable(SymbolId trampoline, long site, long lowest, long highest, int section)
    {
        if (_symbols.Kind(trampoline) == SymbolKind.DynImport)
        {
            return false;
        }
        long address = _symbols.Value(trampoline);
        long distance = address - site;
        return address == 0
            || (section != 0 ? _symbols.SectionIndex(trampoline) == section : distance >= lowest && distance <= highest);
    }

    private byte[] TrampolineName(SymbolId target, long addend, TrampolineNaming naming, int number)
    {
        string middle = naming switch
        {
            TrampolineNaming.HexadecimalUnlessZero when addend == 0 => "",
            TrampolineNaming.Decimal => addend.ToString("+0;-0;+0", CultureInfo.InvariantCulture),
            _ => addend < 0 ? $"-{(ulong)-addend:x}" : $"+{addend:x}",
        };
        return [.. _symbols.Name(target), .. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{middle}-tramp{number}"))];
    }

    private void AssignWithTrampolines(SymbolId textMarker, ulong start)
    {
        List<SymbolId> text = _ctx.Text;
        foreach (SymbolId s in text)
        {
            if (s != textMarker)
            {
                Reset(s);
            }
        }
        _address = start;
        int[] calls = CountCalls();

        int placed = 0;
        string package = "";
        for (int i = 0; i < text.Count; i++)
        {
            SymbolId s = text[i];
            string own = _symbols.PackagePath(s);
            if (own.Length != 0 && own != package)
            {
                package = own;
                PlaceProvisionally(i, package, calls);
            }
            if (s != textMarker)
            {
                Reset(s);
            }
            Place(s, isTrampoline: false, maySplit: true);
            if (calls[i] != 0)
            {
                CheckCalls(s);
            }
            for (; placed < _trampolines.Count; placed++)
            {
                if (!_placedMarkers.Contains(_trampolines[placed]))
                {
                    Place(_trampolines[placed], isTrampoline: true, maySplit: true);
                }
            }
        }
        if (placed != 0)
        {
            MergeTrampolines();
        }
    }

    /// <summary>Gives the functions of a package, from index <paramref name="first"/> on, addresses that leave room for all trampolines.</summary>
    private void PlaceProvisionally(int first, string package, int[] calls)
    {
        ulong each = (ulong)_ctx.Target.Cpu.MaxTrampolineSize;
        ulong address = _address;
        for (int i = first; i < _ctx.Text.Count && _symbols.PackagePath(_ctx.Text[i]) == package; i++)
        {
            Place(_ctx.Text[i], isTrampoline: false, maySplit: false);
            _address += (ulong)(calls[i] & ~HostCall) * each;
        }
        _address = address;
    }

    /// <summary>
    /// How many calls each function makes that a trampoline may be needed for; with <see cref="HostCall"/> where host relocations may
    /// turn out to be others. The relocations of all functions are read here, by all threads.
    /// </summary>
    private int[] CountCalls()
    {
        const int Chunk = 1 << 9;
        int[] calls = new int[_ctx.Text.Count];
        if (_ctx.Target.Cpu.MaxTrampolineSize != 0)
        {
            _ctx.Workers.ForChunks(calls.Length, Chunk, (from, to, _) =>
            {
                for (int i = from; i < to; i++)
                {
                    calls[i] = CountCalls(_symbols.Relocs(_ctx.Text[i]));
                }
            });
        }
        return calls;
    }

    private static int CountCalls(RelocList relocs)
    {
        int calls = 0;
        int mark = 0;
        for (int i = 0; i < relocs.Count; i++)
        {
            RelocKind kind = relocs.Kind(i);
            if (kind.IsDirectCallOrJump())
            {
                calls++;
            }
            else if (kind == RelocKind.Host)
            {
                mark = HostCall;
            }
        }
        return calls | mark;
    }

    /// <summary>Bytes that the trampolines of a function's calls take at most (maxSizeTrampolines).</summary>
    private ulong TrampolineSpace(SymbolId s, bool isTrampoline)
    {
        int each = _ctx.Target.Cpu.MaxTrampolineSize;
        if (each == 0 || isTrampoline)
        {
            return 0;
        }
        return (ulong)(CountCalls(_symbols.Relocs(s)) & ~HostCall) * (ulong)each;
    }

    private void CheckCalls(SymbolId s)
    {
        CpuArch cpu = _ctx.Target.Cpu;
        RelocList relocs = _symbols.Relocs(s);
        int count = relocs.Count;
        for (int i = 0; i < count; i++)
        {
            RelocKind reloc = relocs.Kind(i);
            if (!reloc.IsDirectCallOrJump() && !(reloc == RelocKind.Host && cpu.IsPltCall(_ctx.Target, relocs.HostType(i))))
            {
                continue;
            }
            SymbolId target = relocs.Target(i);
            SymbolKind kind = _symbols.Kind(target);
            if (!_symbols.IsReachable(target) || kind == SymbolKind.None)
            {
                continue;
            }
            bool hasAddress = _symbols.Value(target) != 0 || kind is SymbolKind.DynImport or SymbolKind.UndefExt;
            if (hasAddress || !IsNear(s, target))
            {
                cpu.CheckReach(this, s, i, target);
                // A trampoline changes the list, and the first one moves it.
                relocs = _symbols.Relocs(s);
            }
        }
    }

    /// <summary>Whether a target without an address will lie close by, because the functions of a package do, and those of the runtime.</summary>
    private bool IsNear(SymbolId s, SymbolId target)
    {
        if (_ctx.Settings.RandomLayoutSeed != 0)
        {
            return false;
        }
        string from = _symbols.PackagePath(s);
        string to = _symbols.PackagePath(target);
        return (from.Length != 0 && from == to && _symbols.Kind(s) == _symbols.Kind(target) && !_ctx.Target.Cpu.TrampolinesWithinPackages)
            || (_ctx.Release.IsRuntimePackage(from) && _ctx.Release.IsRuntimePackage(to));
    }

    private void MergeTrampolines()
    {
        List<SymbolId> merged = new(_ctx.Text.Count + _trampolines.Count);
        int next = 0;
        foreach (SymbolId s in _ctx.Text)
        {
            for (; next < _trampolines.Count && _symbols.Value(_trampolines[next]) < _symbols.Value(s); next++)
            {
                merged.Add(_trampolines[next]);
            }
            merged.Add(s);
        }
        merged.AddRange(CollectionsMarshal.AsSpan(_trampolines)[next..]);
        CollectionsMarshal.SetCount(_ctx.Text, 0);
        _ctx.Text.AddRange(merged);
    }

    private struct TrampolineLink
    {
        public SymbolId Symbol;
        public int Next;
    }
}
