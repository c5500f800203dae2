using BenchmarkDotNet.Running;

namespace AotLinker.Benchmarks;

/// <summary>Times the hot kernels. Arguments are BenchmarkDotNet's: --filter=*Name*, --job=short, --list=flat.</summary>
public static class Program
{
    /// <summary>Runs the benchmarks that the arguments choose.</summary>
    public static void Main(string[] arguments) => BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(arguments);
}
