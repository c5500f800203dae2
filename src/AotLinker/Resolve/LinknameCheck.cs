using System.Text;
using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Resolve;

/// <summary>
/// Refuses references by name to symbols of the standard library that their package has not opened to the referring one
/// (Loader.checkLinkname, preloadSyms, loadObjRefs).
/// </summary>
internal static class LinknameCheck
{
    /// <summary>The flags of definitions and references to look at.</summary>
    public static SymbolFlags2 MarksOf(Release release) => SymbolFlags2.Linkname | release.LinknameStdFlag;

    /// <summary>Whether all references of an object are looked at, not only those with <see cref="MarksOf">flags</see>.</summary>
    public static bool ChecksAllReferences(Release release, GoObject o) => release.ChecksAssemblyLinknames && o.FromAssembly;

    /// <summary>Checks every reference that go:linkname or an assembly file makes.</summary>
    /// <param name="ctx">The link.</param>
    /// <param name="objects">The objects.</param>
    /// <param name="named">At least the definitions and references to look at, in load order.</param>
    /// <exception cref="LinkException">The first reference, in load order, that is not allowed.</exception>
    public static void Run(LinkContext ctx, GoObject[] objects, NamedSymbol[] named)
    {
        const int Chunk = 64;
        Blocklist blocked = new(ctx.Release.BlockedLinknames);
        SymbolFlags2 marks = MarksOf(ctx.Release);
        // Variables without data that are marked stand for references; they are checked before any reference is.
        ctx.Workers.ForChunks(named.Length, Chunk, (from, to, _) =>
        {
            foreach (NamedSymbol n in named.AsSpan(from..to))
            {
                GoObject o = objects[n.Object];
                ref readonly SymbolRecord r = ref o.Symbol(n.Local);
                if (n.Local < o.AllDefCount && (r.Flags2 & marks) != 0 && o.DataSize(n.Local) == 0 && o.Name(r).Contains((byte)'.'))
                {
                    Check(ctx, blocked, o, o.Name(r), new SymbolId(o.ToGlobal(n.Local)));
                }
            }
        });
        ctx.Workers.ForChunks(named.Length, Chunk, (from, to, _) =>
        {
            foreach (NamedSymbol n in named.AsSpan(from..to))
            {
                GoObject o = objects[n.Object];
                ref readonly SymbolRecord r = ref o.Symbol(n.Local);
                if (n.Local >= o.AllDefCount && ((r.Flags2 & marks) != 0 || ChecksAllReferences(ctx.Release, o)))
                {
                    Check(ctx, blocked, o, o.Name(r), new SymbolId(o.ToGlobal(n.Local)));
                }
            }
        });
    }

    private static void Check(LinkContext ctx, Blocklist blocked, GoObject from, ReadOnlySpan<byte> name, SymbolId s)
    {
        string package = from.Package.Path;
        if (blocked.TryGet(name, out string[]? allowed))
        {
            foreach (string path in allowed)
            {
                if (path == package || path == UnversionedFips(package))
                {
                    return;
                }
            }
            throw Refused(package, name);
        }
        GoObject? definer = ctx.Symbols.Locate(s, out int local);
        if (definer is null || (definer.Flags & GoObject.ObjectFlags.Std) == 0 || definer.Package.Path == package)
        {
            return;
        }
        SymbolFlags2 flags = definer.Symbol(local).Flags2;
        SymbolFlags2 std = ctx.Release.LinknameStdFlag;
        if (!ctx.Release.ChecksAssemblyLinknames)
        {
            if ((flags & (SymbolFlags2.Linkname | ctx.Release.AbiWrapperFlag)) != 0)
            {
                return;
            }
            throw Refused(package, name);
        }
        if (definer.FromAssembly && (flags & (std | SymbolFlags2.Linkname)) == 0)
        {
            // Assembly functions may be named for the package they are meant for, and names without a dot are meant for C. Otherwise
            // the mark is on the ABI wrapper.
            if (name.StartsWith(Encoding.UTF8.GetBytes(package)) || !name.Contains((byte)'.') || !ctx.Target.HasAbiWrappers)
            {
                return;
            }
            int version = ctx.Symbols.Version(definer, definer.Symbol(local).Abi);
            SymbolId wrapper = ctx.Symbols.Lookup(name, 1 - version);
            if (!wrapper.IsNone)
            {
                flags = ctx.Symbols.Flags2(wrapper);
            }
        }
        if ((flags & std) != 0 && (from.Flags & GoObject.ObjectFlags.Std) != 0)
        {
            return;
        }
        if ((flags & SymbolFlags2.Linkname) == 0)
        {
            throw Refused(package, name);
        }
    }

    // crypto/internal/fips140/vX.Y.Z/… is a frozen copy of crypto/internal/fips140/… with the same rights.
    private static string UnversionedFips(string package)
    {
        const string Prefix = "crypto/internal/fips140/";
        if (!package.StartsWith(Prefix + "v", StringComparison.Ordinal))
        {
            return package;
        }
        int slash = package.IndexOf('/', Prefix.Length);
        return slash < 0 ? Prefix[..^1] : Prefix + package[(slash + 1)..];
    }

    private static LinkException Refused(string package, ReadOnlySpan<byte> name) =>
        new(MessageForm.Input, $"{package}: invalid reference to {Encoding.UTF8.GetString(name)}");

    /// <summary>The release's table of restricted names.</summary>
    private sealed class Blocklist
    {
        private readonly Dictionary<string, string[]> _packages = new(StringComparer.Ordinal);
        private readonly Dictionary<string, string[]>.AlternateLookup<ReadOnlySpan<char>> _byChars;

        public Blocklist(ReadOnlySpan<byte> table)
        {
            foreach (string line in Encoding.UTF8.GetString(table).Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                string[] words = line.Split(' ');
                _packages[words[0]] = words[1..];
            }
            _byChars = _packages.GetAlternateLookup<ReadOnlySpan<char>>();
        }

        public bool TryGet(ReadOnlySpan<byte> name, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out string[]? packages)
        {
            packages = null;
            if (name.Length > 128)
            {
                return false;
            }
            Span<char> chars = stackalloc char[128];
            int n = Encoding.UTF8.GetChars(name, chars);
            return _byChars.TryGetValue(chars[..n], out packages);
        }
    }
}
