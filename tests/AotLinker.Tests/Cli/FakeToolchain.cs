using System.Text;
using AotLinker.Cli;

namespace AotLinker.Tests.Cli;

/// <summary>A folder that looks like GOROOT as far as the command line cares: VERSION, and files at the tools' places.</summary>
internal sealed class FakeToolchain : IDisposable
{
    public FakeToolchain(string? version = "go1.27.4", string? generated = null)
    {
        Root = Directory.CreateTempSubdirectory("aotlink-goroot-").FullName;
        ToolFolder = Path.Combine(Root, "pkg", "tool", $"{Toolchain.RunningOs}_{Toolchain.RunningArch}");
        Directory.CreateDirectory(ToolFolder);
        if (version is not null)
            File.WriteAllText(Path.Combine(Root, "VERSION"), version + "\ntime 2026-11-02T20:36:20Z\n");
        if (generated is not null)
        {
            string folder = Path.Combine(Root, "src", "internal", "buildcfg");
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, "zbootstrap.go"), generated);
        }
    }

    public string Root { get; }

    public string ToolFolder { get; }

    public string Link => Path.Combine(ToolFolder, StockLinker.Executable("link"));

    public string Saved => Path.Combine(ToolFolder, StockLinker.Executable(StockLinker.SavedName));

    /// <summary>Content that passes for a Go program; the text tells one from another.</summary>
    public static byte[] GoProgram(string text) => [.. "\u007fELF"u8, 0xff, .. " Go buildinf:"u8, .. Encoding.UTF8.GetBytes(text)];

    /// <summary>Content that passes for this linker. It has Go's marker as well, for it writes Go programs.</summary>
    public static byte[] AotLink(string text) => [.. GoProgram(""), .. ToolKinds.Marker, .. Encoding.UTF8.GetBytes(text)];

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
