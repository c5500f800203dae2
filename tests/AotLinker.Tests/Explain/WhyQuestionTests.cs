using System.Text;
using AotLinker.Explain;

namespace AotLinker.Tests.Explain;

public class WhyQuestionTests
{
    [Theory]
    [InlineData("net/http.(*Client).Do", "net/http.*", true)]
    [InlineData("net/http.(*Client).Do", "*Client*Do", true)]
    [InlineData("net/http.(*Client).Do", "*", true)]
    [InlineData("net/http.(*Client).Do", "net/http.(**", true)]
    [InlineData("net/http.(*Client).Do", "*Do*Client*", false)]
    [InlineData("net/http.(*Client).Do", "*Client", false)]
    [InlineData("net/http.(*Client).Do", "http.*", false)]
    [InlineData("aba", "ab*ba", false)]
    public void StarsStandForAnything(string name, string pattern, bool fits) =>
        Assert.Equal(fits, WhyQuestion.Fits(Encoding.UTF8.GetBytes(name), [.. pattern.Split('*').Select(Encoding.UTF8.GetBytes)]));

    [Fact]
    public void NothingIsAskedWithoutAQuestion()
    {
        Assert.Null(WhyRequest.Parse(null, "file"));
        Assert.Null(WhyRequest.Parse("\n \n", null));
    }
}
