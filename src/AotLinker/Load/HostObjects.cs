using System.Globalization;
using AotLinker.Objects;

namespace AotLinker.Load;

/// <summary>Objects of the host's compiler inside packages: .syso files and what cgo compiled (ld.hostobjs).</summary>
internal sealed class HostObjects(LinkContext ctx, int firstVersion)
{
    private int _version = firstVersion;
    private int _captured;
    private HostPe? _pe;

    /// <summary>
    /// Loads the host objects of a link that we finish ourselves. Their functions become the first ones of <see cref="LinkContext.Text"/>.
    /// </summary>
    /// <exception cref="UnsupportedLinkException">An object is of a format, or needs a library, that is not supported.</exception>
    public static void Load(LinkContext ctx, List<HostObject> objects)
    {
        if (objects.Count == 0 || !ctx.Target.IsInternal)
        {
            return;
        }
        // Each object's own symbols have a version of their own, after those of the Go objects.
        int version = SymbolTable.StaticVersion + ctx.Symbols.Objects.Length - SymbolTable.FirstObject;
        HostObjects loader = new(ctx, version);
        foreach (HostObject host in objects)
        {
            loader.Load(host);
        }
        HostLibraries.Load(ctx, loader);
        ctx.HostObjectVersions = version..loader._version;
    }

    /// <summary>Loads one object.</summary>
    public void Load(HostObject host)
    {
        switch (host.Kind)
        {
            case MemberKind.HostElf:
            case MemberKind.HostMachO:
                int version = _version++;
                try
                {
                    ctx.Text.AddRange(host.Kind == MemberKind.HostElf ? HostElf.Load(ctx, host, version) : HostMachO.Load(ctx, host, version));
                }
                catch (LinkException e) when (e.Form == MessageForm.Bare)
                {
                    ctx.Diagnostics.Error(e.Message);
                }
                break;
            case MemberKind.HostPe:
                try
                {
                    _pe ??= new HostPe(ctx);
                    ctx.Text.AddRange(_pe.Load(host, _version++));
                }
                catch (LinkException e) when (e.Form == MessageForm.Bare)
                {
                    // Most of cmd/link's texts about such objects leave open which one it is.
                    string file = host.Member.DisplayName;
                    ctx.Diagnostics.Error(e.Message.Contains(file, StringComparison.Ordinal) ? e.Message : $"{file}: {e.Message}");
                }
                break;
            case MemberKind.Unknown:
                ctx.Diagnostics.Error($"{host.Member.DisplayName}: unrecognized object file format");
                return;
            default:
                throw new UnsupportedLinkException($"internal linking of host objects ({host.Member.DisplayName})");
        }
        if (ctx.Options.CaptureHostObjects.Length > 0)
        {
            Capture(host, _captured++);
        }
    }

    /// <summary>Settles what objects for Windows import, once all are loaded.</summary>
    public void ResolveImports()
    {
        try
        {
            _pe?.ResolveImports();
        }
        catch (LinkException e) when (e.Form == MessageForm.Bare)
        {
            ctx.Diagnostics.Error(e.Message);
        }
    }

    // -capturehostobjs: a copy of the object, and where it came from.
    private void Capture(HostObject host, int number)
    {
        string folder = ctx.Options.CaptureHostObjects;
        string file = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"captured-obj-{number}.o"));
        string info = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"captured-obj-{number}.txt"));
        ParsedMember member = host.Member;
        try
        {
            File.WriteAllBytes(info, RawText.Encode(string.Create(
                CultureInfo.InvariantCulture,
                $"pkg: {host.Prefix}\npn: {member.DisplayName}\nfile: {host.File.Path}\noff: {member.Offset}\nlen: {member.Length}\n")));
            using FileStream copy = File.Create(file);
            copy.Write(host.File.Span(member.Offset, checked((int)member.Length)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new LinkException(MessageForm.Log, $"error writing captured host object {file}: {e.Message}");
        }
        ctx.Diagnostics.Warn($"link: info: captured host object {host.File.Path} to {file}");
    }
}
