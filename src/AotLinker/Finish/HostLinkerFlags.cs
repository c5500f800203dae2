using AotLinker.Releases;

namespace AotLinker.Finish;

/// <summary>What is known of the options of C compilers that link.</summary>
internal static class HostLinkerFlags
{
    /// <summary>Those that matter when another option is tried: libraries and inputs do not (trimLinkerArgv).</summary>
    public static List<string> ForTrial(Release release, IReadOnlyList<string> flags)
    {
        string[] dropped = release.TrialDropsWithNext, keptWithNext = release.TrialKeepsWithNext, kept = release.TrialKeeps;
        List<string> result = [];
        for (int i = 0; i < flags.Count; i++)
        {
            string flag = flags[i];
            if (!flag.StartsWith('-'))
            {
                continue;
            }
            if (dropped.Contains(flag))
            {
                i++;
            }
            else if (keptWithNext.Contains(flag))
            {
                result.Add(flag);
                if (++i < flags.Count)
                {
                    result.Add(flags[i]);
                }
            }
            else if (Array.Exists(kept, prefix => flag.StartsWith(prefix, StringComparison.Ordinal)))
            {
                result.Add(flag);
            }
        }
        return result;
    }

    /// <summary>
    /// Adds options that the user or a package gives. Clang would pass on what makes no sense in a static program, which GNU's linker then
    /// refuses.
    /// </summary>
    public static void Add(List<string> command, IReadOnlyList<string> flags, string interpreterOption)
    {
        foreach (string flag in flags)
        {
            command.Add(flag);
            for (int i = 0; flag == "-static" && i < command.Count; i++)
            {
                if (command[i] == "-rdynamic" || command[i].StartsWith(interpreterOption, StringComparison.Ordinal))
                {
                    command[i] = "-static";
                }
            }
        }
    }
}
