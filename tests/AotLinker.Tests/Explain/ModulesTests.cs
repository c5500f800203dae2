using System.Text;
using AotLinker.Cli;
using AotLinker.Explain;

namespace AotLinker.Tests.Explain;

public class ModulesTests
{
    private const string Mark = "0123456789abcdef";
    private const string Info = "path\texample.com/app/cmd/tool\nmod\texample.com/app\t(devel)\t\ndep\tgolang.org/x/net\tv0.1.0\th1:x=\n"
        + "dep\tgolang.org/x/net/inner\tv0.2.0\th1:y=\ndep\tother.org/replaced\tv1.0.0\n=>\t../here\t\t\n";

    [Theory]
    [InlineData("main", "example.com/app", "(devel)")]
    [InlineData("example.com/app/internal/x", "example.com/app", "(devel)")]
    [InlineData("golang.org/x/net/http2", "golang.org/x/net", "v0.1.0")]
    [InlineData("golang.org/x/net/inner/a", "golang.org/x/net/inner", "v0.2.0")]
    [InlineData("golang.org/x/network", "golang.org/x/network", "")]
    [InlineData("other.org/replaced", "other.org/replaced", "=> ../here")]
    [InlineData("net/http", "std", "")]
    [InlineData("vendor/golang.org/x/net/dns", "std", "")]
    [InlineData("(linker)", "(linker)", "")]
    [InlineData("(C of runtime/cgo)", "(C)", "")]
    public void AsTheBuildInformationTells(string package, string path, string version) =>
        Assert.Equal((path, version), Of(Info).Of(package));

    [Theory]
    [InlineData("github.com/a/b/c/d", "github.com/a/b")]
    [InlineData("k8s.io/kubernetes/pkg/x", "k8s.io/kubernetes")]
    [InlineData("k8s.io/kubernetes/vendor/github.com/a/b/c", "github.com/a/b")]
    [InlineData("main", "main")]
    public void OrByTheBeginningOfTheImportPath(string package, string path) => Assert.Equal((path, ""), new Modules([]).Of(package));

    private static Modules Of(string info) => new([new StringDefinition([.. "runtime.modinfo"u8], Encoding.UTF8.GetBytes(Mark + info + Mark))]);
}
