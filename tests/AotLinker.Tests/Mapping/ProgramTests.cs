using System.Text;
using AotLinker.Mapping;

namespace AotLinker.Tests.Mapping;

public sealed class ProgramTests
{
    [Fact]
    public void BothStreamsComeInTheOrderOfWriting()
    {
        if (!OperatingSystem.IsLinux())
            return;
        ProgramResult result = HostProcess.Run(["sh", "-c", "echo one; echo two >&2; echo three"]);
        Assert.Null(result.Failure);
        Assert.EndsWith("/sh", result.Program, StringComparison.Ordinal);
        Assert.Equal("one\ntwo\nthree\n", Encoding.UTF8.GetString(result.Output));
    }

    [Theory]
    [InlineData("exit 3", "exit status 3")]
    [InlineData("kill -9 $$", "signal: killed")]
    [InlineData("kill -11 $$", "signal: segmentation fault")]
    public void AFailureIsToldAsGoDoes(string script, string expected)
    {
        if (!OperatingSystem.IsLinux())
            return;
        string failure = HostProcess.Run(["sh", "-c", "ulimit -c 0; " + script]).Failure!;
        Assert.Equal(expected, failure.Replace(" (core dumped)", ""));
    }

    [Fact]
    public void WhatIsNotThereIsToldAsGoDoes()
    {
        if (!OperatingSystem.IsLinux())
            return;
        Assert.Equal("exec: \"no-such-cc\": executable file not found in $PATH", HostProcess.Run(["no-such-cc"]).Failure);
        Assert.Equal("fork/exec /no/such/cc: no such file or directory", HostProcess.Run(["/no/such/cc"]).Failure);
    }

    [Fact]
    public void ArgumentsAndEnvironmentArriveToTheByte()
    {
        if (!OperatingSystem.IsLinux())
            return;
        string odd = HostPath.Decode([0xff, (byte)'x', 0xfe]);
        ProgramResult result = HostProcess.Run(["sh", "-c", "printf '%s|%s' \"$1\" \"$AOTLINK_TEST_DEFAULT\"", "sh", odd], "AOTLINK_TEST_DEFAULT=y", "PATH=/nowhere");
        Assert.Equal([0xff, (byte)'x', 0xfe, (byte)'|', (byte)'y'], result.Output);
    }

    [Fact]
    public void LongOutputIsAllRead()
    {
        if (!OperatingSystem.IsLinux())
            return;
        Assert.Equal(300_000, HostProcess.Run(["sh", "-c", "head -c 300000 /dev/zero"]).Output.Length);
    }
}
