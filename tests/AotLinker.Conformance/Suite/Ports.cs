namespace AotLinker.Conformance.Suite;

/// <summary>A port that is linked for, with what the suite knows of it.</summary>
/// <param name="Os">GOOS.</param>
/// <param name="Cpu">GOARCH.</param>
internal sealed record Port(string Os, string Cpu)
{
    /// <summary>Emulator of Debian's qemu-user that runs its programs; empty where there is none.</summary>
    public string Emulator { get; init; } = "";

    /// <summary>
    /// Whether cmd/link makes position-independent executables for it without an external linker (platform.InternalLinkPIESupported).
    /// </summary>
    public bool HasPie { get; init; }

    /// <summary>The first release for which that holds.</summary>
    public string PieSince { get; init; } = "1.26";

    /// <summary>Whether calls may need trampolines.</summary>
    public bool HasTrampolines { get; init; }

    /// <summary>The environment variable that chooses a variant of the CPU, with the variants that are tried.</summary>
    public (string Variable, string[] Values) Variants { get; init; } = ("", []);

    /// <summary>Whether large tools and test binaries are linked for it.</summary>
    public bool IsDeep { get; init; }

    /// <summary>Whether hello is linked in every run for older releases too.</summary>
    public bool IsSample { get; init; }

    public override string ToString() => $"{Os}/{Cpu}";

    /// <summary>The ports beside linux/amd64 and WebAssembly, which have cases of their own.</summary>
    public static readonly Port[] All =
    [
        new("dragonfly", "amd64"),
        new("freebsd", "amd64"),
        new("illumos", "amd64"),
        new("netbsd", "amd64"),
        new("openbsd", "amd64") { IsSample = true },
        new("solaris", "amd64"),
    ];
}
