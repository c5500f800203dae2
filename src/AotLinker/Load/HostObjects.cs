using System.Text;

namespace AotLinker.Load;

/// <summary>Objects of the host's compiler inside packages: .syso files and what cgo compiled (ld.hostobjs).</summary>
internal static class HostObjects
{
    /// <summary>Loads the host objects of a link that we finish ourselves.</summary>
    /// <exception cref="UnsupportedLinkException">There are some: no format's loader is here yet.</exception>
    public static void Load(LinkContext ctx, List<HostObject> objects)
    {
        if (objects.Count == 0 || !ctx.Target.IsInternal)
        {
            return;
        }
        HostObject first = objects[0];
        throw new UnsupportedLinkException(new StringBuilder("internal linking of host objects (").Append(first.Member.DisplayName).Append(')').ToString());
    }
}
