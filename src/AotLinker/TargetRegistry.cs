using AotLinker.Cpu;
using AotLinker.Formats;

namespace AotLinker;

/// <summary>The CPUs and object formats there are. Adding one means one line here and one file of its own.</summary>
internal static class TargetRegistry
{
    /// <summary>The CPU of a GOARCH; null if it is not supported yet.</summary>
    public static CpuArch? Cpu(string goarch) => goarch switch
    {
        "amd64" => new Amd64(),
        _ => null,
    };

    /// <summary>The object format of an operating system; null if it is not supported yet.</summary>
    public static OutputFormat? Format(HeadType headType) => null;
}
