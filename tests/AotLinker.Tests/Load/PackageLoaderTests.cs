using AotLinker.Cli;
using AotLinker.Load;
using AotLinker.Tests.Mapping;

namespace AotLinker.Tests.Load;

public sealed class PackageLoaderTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [LinuxFact]
    public void The_main_package_is_mapped_once_although_the_import_configuration_names_it_too()
    {
        // No object: loading ends with an error, when all files have been opened.
        string main = _scratch.File("main.a", 100_000), other = _scratch.File("other.a", 100_000);
        File.WriteAllText(_scratch["importcfg"], $"packagefile other={other}\npackagefile example/main={main}\n");
        Dictionary<string, string> variables = new() { ["GOOS"] = "linux", ["GOARCH"] = "amd64" };
        LinkOptions options = LinkOptions.Parse(
            "link", ["-importcfg", _scratch["importcfg"], main], variables.GetValueOrDefault, Toolchain.FromVersion("go1.27"));
        Diagnostics diagnostics = new("link", new MemoryStream(), new MemoryStream());
        Assert.ThrowsAny<Exception>(() => PackageLoader.Run(options, diagnostics, new Workers(2)));
        Assert.Equal(1, MapsOf(other));
        Assert.Equal(1, MapsOf(main));
    }

    private static int MapsOf(string path) => File.ReadLines("/proc/self/maps").Count(l => l.EndsWith(" " + path, StringComparison.Ordinal));
}
