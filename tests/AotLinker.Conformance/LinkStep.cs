using System.Security.Cryptography;
using System.Text;

namespace AotLinker.Conformance;

/// <summary>
/// One captured link: the command as the go command ran it, with files by placeholder, and everything it read that would
/// not outlive the build. A folder holds it:
/// args (one argument per line), env (NAME=VALUE lines), tool (path of the reference linker), importcfg, main.a, pkgN.a
/// (packages that go had in its temporary folder only) and ref or ref.sha256 (what the reference linker wrote, before the
/// go command stamped the build ID).
/// </summary>
internal sealed class LinkStep
{
    public const string OutputMark = "@OUT@";
    public const string ImportConfigMark = "@IMPORTCFG@";
    public const string MainMark = "@MAIN@";

    /// <summary>A file that the linker writes beside the output, such as that of -fipso: the output's path with ".side".</summary>
    public const string SideMark = "@SIDE@";

    private readonly Lazy<string> _inputHash;

    private LinkStep(string folder)
    {
        Folder = folder;
        Arguments = File.ReadAllLines(Path.Combine(folder, "args"));
        Tool = File.ReadAllText(Path.Combine(folder, "tool")).Trim();
        Dictionary<string, string> environment = new(StringComparer.Ordinal);
        foreach (string line in File.ReadAllLines(Path.Combine(folder, "env")))
        {
            int equals = line.IndexOf('=');
            if (equals > 0)
            {
                environment[line[..equals]] = line[(equals + 1)..];
            }
        }

        Environment = environment;
        _inputHash = new Lazy<string>(HashInput);
    }

    public string Folder { get; }

    public string Name => Path.GetFileName(Folder);

    public IReadOnlyList<string> Arguments { get; }

    public IReadOnlyDictionary<string, string> Environment { get; }

    /// <summary>The reference linker that the go command ran.</summary>
    public string Tool { get; }

    public string ImportConfig => Path.Combine(Folder, "importcfg");

    public string MainArchive => Path.Combine(Folder, "main.a");

    /// <summary>Hash over everything that decides what the reference linker writes, the tool and extra flags apart.</summary>
    public string InputHash => _inputHash.Value;

    public static LinkStep Load(string folder) => File.Exists(Path.Combine(folder, "args"))
        ? new LinkStep(folder)
        : throw new ConformanceException($"no captured link step in {folder}");

    /// <summary>Whether the object files, which stay in the build cache, are all still there.</summary>
    public bool IsComplete() => PackageFiles(File.ReadLines(ImportConfig)).All(file => File.Exists(file));

    /// <summary>
    /// The command line with real paths: <paramref name="extra"/> flags go before the main archive, so that they win over
    /// the captured ones.
    /// </summary>
    public IEnumerable<string> CommandLine(string output, IReadOnlyList<string> extra)
    {
        foreach (string argument in Arguments)
        {
            switch (argument)
            {
                case OutputMark:
                    yield return output;
                    break;
                case ImportConfigMark:
                    yield return ImportConfig;
                    break;
                case MainMark:
                    foreach (string flag in extra)
                    {
                        yield return flag.Replace(SideMark, SideFile(output), StringComparison.Ordinal);
                    }

                    yield return MainArchive;
                    break;
                case SideMark:
                    yield return SideFile(output);
                    break;
                default:
                    yield return argument;
                    break;
            }
        }
    }

    /// <summary>The file for <see cref="SideMark"/>.</summary>
    public static string SideFile(string output) => output + ".side";

    /// <summary>Copies the step into another folder, to be changed there.</summary>
    public LinkStep CopyTo(string folder)
    {
        Directory.CreateDirectory(folder);
        foreach (string file in Directory.GetFiles(Folder))
        {
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)), overwrite: true);
        }

        string config = Path.Combine(folder, "importcfg");
        File.WriteAllText(config, File.ReadAllText(config).Replace(Folder, folder, StringComparison.Ordinal));
        return Load(folder);
    }

    /// <summary>Path of a package's object file.</summary>
    public string PackageFile(string package)
    {
        string prefix = $"packagefile {package}=";
        string? line = File.ReadLines(ImportConfig).FirstOrDefault(line => line.StartsWith(prefix, StringComparison.Ordinal));
        return line is null ? throw new ConformanceException($"{Name} does not import {package}") : line[prefix.Length..];
    }

    /// <summary>Paths that an importcfg names.</summary>
    public static IEnumerable<string> PackageFiles(IEnumerable<string> lines) =>
        from line in lines
        where line.StartsWith("packagefile ", StringComparison.Ordinal)
        select line[(line.IndexOf('=') + 1)..];

    private string HashInput()
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string part in Arguments.Concat(Environment.Select(pair => $"{pair.Key}={pair.Value}").Order(StringComparer.Ordinal)))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(part + "\n"));
        }

        // Object files are named by their content in the build cache; those kept here are not.
        foreach (string line in File.ReadLines(ImportConfig))
        {
            hash.AppendData(Encoding.UTF8.GetBytes(line.Replace(Folder, "", StringComparison.Ordinal) + "\n"));
        }

        foreach (string archive in Directory.GetFiles(Folder, "*.a").Order(StringComparer.Ordinal))
        {
            hash.AppendData(File.ReadAllBytes(archive));
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
