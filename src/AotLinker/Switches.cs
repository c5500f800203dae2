using System.Globalization;
using AotLinker.Accounting;
using AotLinker.Explain;
using AotLinker.Mapping;

namespace AotLinker;

/// <summary>
/// Our own switches. A drop-in has no free flags, so they are environment variables. <see cref="All"/> is their
/// documentation, which <c>aotlink --help</c> prints. Those of the mapping layer are read there (<see cref="MappingSwitches"/>).
/// </summary>
internal sealed class Switches
{
    private Switches(Func<string, string?> variable)
    {
        Strict = Truth(variable, "AOTLINK_STRICT");
        Threads = Number(variable, "AOTLINK_THREADS", 1, 1024);
        ShuffleSeed = Number(variable, "AOTLINK_SHUFFLE", 0, int.MaxValue) ?? 0;
        Account = AccountRequest.Parse("AOTLINK_ACCOUNT", variable("AOTLINK_ACCOUNT"));
        Sizes = AccountRequest.Parse("AOTLINK_SIZES", variable("AOTLINK_SIZES"));
        Why = WhyRequest.Parse(variable("AOTLINK_WHY"), variable("AOTLINK_WHY_FILE"));
        Timeline = variable("AOTLINK_TIMELINE") is { Length: > 0 } timeline ? timeline : null;
        StockLinker = variable("AOTLINK_STOCK_LINKER") is { Length: > 0 } path ? path : null;
    }

    /// <summary>Each switch with its meaning.</summary>
    public static (string Name, string Help)[] All =>
    [
        ("AOTLINK_STRICT", "1: what can't be linked is an error; it is not handed to the toolchain's own linker"),
        ("AOTLINK_STOCK_LINKER", "path of the linker that gets what can't be linked, where none is known otherwise"),
        ("AOTLINK_THREADS", "number of threads; by default what the machine and its limits allow, and fewer while it is busy with others"),
        ("AOTLINK_SHUFFLE", "a seed that scrambles the order of parallel work, to test that the output doesn't depend on it"),
        ("AOTLINK_ACCOUNT", "text or json: what was mapped, read, copied and allocated, by pass, on standard error; with :FILE, there"),
        ("AOTLINK_TIMELINE", "a file for the times of passes and threads, as JSON that trace viewers open"),
        ("AOTLINK_SIZES", "text or json: what the output consists of, by package and by what it is, on standard error; with :FILE, there"),
        ("AOTLINK_WHY", "symbols, import paths or patterns with *, one a line: the shortest way to each from where the program starts"),
        ("AOTLINK_WHY_FILE", "a file for the answers to AOTLINK_WHY, rather than standard error"),
        ("AOTLINK_NO_INPUT_MAP", "1: inputs are read into memory, as where they can't be mapped"),
        ("AOTLINK_NO_OUTPUT_MAP", "1: the output is written through buffers, as where it can't be mapped; 0: never, not even where a map is slower"),
        ("AOTLINK_NAMED_OUTPUT", "1: the unfinished output has a name, as where files without one are not to be had"),
    ];

    /// <summary>Don't hand over: what can't be linked is an error.</summary>
    public bool Strict { get; }

    /// <summary>The number of threads; null to choose by the machine.</summary>
    public int? Threads { get; }

    /// <summary>Seed of a scrambled work order; 0 for none.</summary>
    public int ShuffleSeed { get; }

    /// <summary>The account of memory that is wanted; null for none.</summary>
    public AccountRequest? Account { get; }

    /// <summary>The account of the output's bytes that is wanted; null for none.</summary>
    public AccountRequest? Sizes { get; }

    /// <summary>What is asked about live symbols; null for nothing.</summary>
    public WhyRequest? Why { get; }

    /// <summary>Where the timeline of passes and threads goes; null for none.</summary>
    public string? Timeline { get; }

    /// <summary>The linker to hand over to, where neither the way we were started nor the folder tells; null for none.</summary>
    public string? StockLinker { get; }

    /// <summary>Reads the process's environment.</summary>
    /// <exception cref="LinkException">A switch has a value it can't have.</exception>
    public static Switches FromEnvironment() => Parse(HostProcess.Variable);

    /// <summary>Reads switches.</summary>
    /// <param name="variable">Gives a variable's value, or null.</param>
    /// <exception cref="LinkException">A switch has a value it can't have.</exception>
    public static Switches Parse(Func<string, string?> variable) => new(variable);

    private static bool Truth(Func<string, string?> variable, string name) => variable(name) switch
    {
        null or "" or "0" => false,
        "1" => true,
        string other => throw new LinkException($"{name} must be 0 or 1, not {Cli.GoText.Quote(other)}"),
    };

    private static int? Number(Func<string, string?> variable, string name, int least, int most)
    {
        string? value = variable(name);
        if (string.IsNullOrEmpty(value))
            return null;
        if (!int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int number) || number < least || number > most)
            throw new LinkException(string.Create(CultureInfo.InvariantCulture, $"{name} must be a number from {least} to {most}, not {Cli.GoText.Quote(value)}"));
        return number;
    }
}
