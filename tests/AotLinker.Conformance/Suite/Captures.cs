using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace AotLinker.Conformance.Suite;

/// <summary>
/// The link steps of one build, made when a case first needs them and kept in the cache for later runs, as long as the
/// sources and the object files are still the same.
/// </summary>
internal sealed class CaptureSet
{
    /// <summary>
    /// One lock for each release, port and experiment: two builds for the same would compile the same packages. Those for different ones run
    /// side by side, for a build alone keeps one processor busy while it compiles the runtime.
    /// </summary>
    private static readonly ConcurrentDictionary<string, Lock> BuildLocks = [];

    private readonly Lazy<Dictionary<string, LinkStep>> _steps;
    private readonly Toolchain _toolchain;
    private readonly string _verb;
    private readonly string[] _arguments;
    private readonly string _workingDirectory;
    private readonly Dictionary<string, string> _environment;
    private readonly string _sourceStamp;
    private readonly bool _failing;

    /// <param name="toolchain">Release that builds.</param>
    /// <param name="verb">"build" or "test".</param>
    /// <param name="arguments">Flags and packages.</param>
    /// <param name="workingDirectory">Where the packages are found.</param>
    /// <param name="environment">Variables on top of the toolchain's.</param>
    /// <param name="sourceStamp">Changes when the sources do; empty for those of the toolchain.</param>
    /// <param name="failing">The links are meant to fail.</param>
    public CaptureSet(
        Toolchain toolchain, string verb, string[] arguments, string workingDirectory,
        Dictionary<string, string>? environment = null, string sourceStamp = "", bool failing = false)
    {
        _toolchain = toolchain;
        _verb = verb;
        _arguments = arguments;
        _workingDirectory = workingDirectory;
        _environment = environment ?? [];
        _sourceStamp = sourceStamp;
        _failing = failing;
        _steps = new Lazy<Dictionary<string, LinkStep>>(Make);
    }

    /// <summary>The link step of a package, by import path ("strings.test" for a test binary).</summary>
    public LinkStep this[string package] => _steps.Value.TryGetValue(Capture.FolderName(package), out LinkStep? step)
        ? step
        : throw new CaseFailedException($"the build did not link {package}");

    private string EnvironmentText => string.Join('\n', _environment.OrderBy(pair => pair.Key).Select(pair => $"{pair.Key}={pair.Value}"));

    private string Folder
    {
        get
        {
            string key = string.Join('\n', ["2", _toolchain.LinkVersion, _toolchain.Goroot, Settings.GoCache, _verb, _workingDirectory, EnvironmentText, _sourceStamp, .. _arguments]);
            string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key)))[..16];
            return Path.Combine(Settings.Cache, "suite", $"{_toolchain.Release}-{hash}");
        }
    }

    private Dictionary<string, LinkStep> Make()
    {
        lock (BuildLocks.GetOrAdd($"{_toolchain.Release}\n{EnvironmentText}", static _ => new Lock()))
        {
            string folder = Folder;
            string complete = Path.Combine(folder, "complete");
            if (File.Exists(complete))
            {
                LinkStep[] kept = [.. Directory.GetDirectories(folder).Select(LinkStep.Load)];
                if (kept.All(step => step.IsComplete()))
                {
                    return kept.ToDictionary(step => step.Name);
                }
            }

            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }

            IReadOnlyList<LinkStep> steps = Capture.Run(
                _toolchain, _verb, _arguments, _workingDirectory, _environment, folder, keepReference: false, _failing);
            File.WriteAllText(complete, "");
            return steps.ToDictionary(step => step.Name);
        }
    }

    /// <summary>Hash of a folder's files, for <c>sourceStamp</c>.</summary>
    public static string Stamp(string folder)
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string file in Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(Path.GetRelativePath(folder, file)));
            hash.AppendData(File.ReadAllBytes(file));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
