namespace AotLinker.Cli;

/// <summary>What <c>-benchmark</c> asks for.</summary>
internal enum BenchmarkMode : byte
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Time and allocation of each pass.</summary>
    Cpu,

    /// <summary>As <see cref="Cpu"/>, with a collection after each pass, so that what lives is exact.</summary>
    Memory,
}

/// <summary>How <c>-V</c> was given.</summary>
internal enum VersionRequest : byte
{
    /// <summary>It wasn't.</summary>
    None,

    /// <summary><c>-V</c>, or with a value that asks for nothing.</summary>
    Short,

    /// <summary><c>-V=full</c>, what the go command asks for.</summary>
    Full,

    /// <summary><c>-V=goexperiment</c>, where the release knows that.</summary>
    Experiments,
}

/// <summary>A version in three parts of one byte (<c>-macos</c>, <c>-macsdk</c>).</summary>
internal readonly record struct MacVersion(byte Major, byte Minor, byte Patch)
{
    /// <summary>The version as a load command holds it: major &lt;&lt; 16 | minor &lt;&lt; 8 | patch.</summary>
    public uint Packed => (uint)Major << 16 | (uint)Minor << 8 | Patch;
}

/// <summary>A string variable and the value it gets (<c>-X</c>), as bytes.</summary>
/// <param name="Name">The variable's symbol name, its package path escaped as in objects.</param>
/// <param name="Value">The value.</param>
internal readonly record struct StringDefinition(byte[] Name, byte[] Value);
