using System.Text;
using AotLinker.Explain;
using AotLinker.Load;
using AotLinker.Objects;
using AotLinker.Tests.Layout;
using AotLinker.Tests.Objects;

namespace AotLinker.Tests.Explain;

public class SymbolPackagesTests
{
    private const byte Text = 1, RoData = 3, DupOk = 1;

    [Theory]
    [InlineData("net/http.Client", "net/http")]
    [InlineData("**[]net/http.Client", "net/http")]
    [InlineData("[4]chan <-chan chan<- os.File", "os")]
    [InlineData("gopkg.in/yaml%2ev2.Node", "gopkg.in/yaml.v2")]
    [InlineData("sync.Pointer[net/http.Client]", "sync")]
    [InlineData("int", "(built-in types)")]
    [InlineData("map[string]net/http.Client", "(built-in types)")]
    [InlineData("func(*net/http.Client) os.File", "(built-in types)")]
    [InlineData("struct { os.File }", "(built-in types)")]
    [InlineData("map.group[string]os.File", "(built-in types)")]
    [InlineData("not/linked.Type", "(built-in types)")]
    public void TypesBelongToThePackageThatDeclaresThem(string type, string package)
    {
        using TestLink link = new();
        SymbolPackages packages = Packages(link, "net/http", "os", "sync", "gopkg.in/yaml.v2");
        Assert.Equal(package, packages.Name(packages.OfType(Encoding.UTF8.GetBytes(type))));
    }

    [Fact]
    public void WhatSeveralPackagesMayDefineGoesByItsName()
    {
        using TestLink link = new();
        GoObjectWriter user = new GoObjectWriter("user")
            .Define("user.own", Text, 4)
            .Define("", RoData, 4)
            .DefineNamed("slices.Sort[go.shape.int]", Text, 4, flags: DupOk)
            .DefineNamed("type:.eq.os.File", Text, 4, flags: DupOk)
            .DefineNamed("go:itab.*os.File,io.Writer", RoData, 4, flags: DupOk)
            .DefineNamed("go:string.\"os.x\"", RoData, 4, flags: DupOk)
            .DefineNamed("elsewhere.Func", Text, 4, flags: DupOk)
            .DefineNamed("os.linknamed", Text, 4)
            .DefineNamed("runtime.gcbits.01", RoData, 4, flags: DupOk);
        GoObject o = link.AddObjects(user)[0];
        link.Ctx.Packages.Add(o.Package);
        SymbolPackages packages = Packages(link, "os", "slices", "runtime");
        string[] of = [.. Enumerable.Range(0, 9).Select(i => packages.Name(packages.Of(new SymbolId(o.ToGlobal(i)))))];
        Assert.Equal(["user", "user", "slices", "os", "os", "user", "user", "user", "user"], of);
        Assert.Equal("(linker)", packages.Name(packages.Of(link.Add("runtime.made", SymbolKind.RoData, 4).Symbol)));
        Assert.Equal(-1, packages.Find("no/such"));
    }

    private static SymbolPackages Packages(TestLink link, params string[] paths)
    {
        link.Ctx.Packages.AddRange(paths.Select(path => new Package { Path = path, File = "", ObjectRef = "", SourceRef = "" }));
        return new SymbolPackages(link.Ctx);
    }
}
