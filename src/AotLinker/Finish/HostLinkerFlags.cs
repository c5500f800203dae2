namespace AotLinker.Finish;

/// <summary>What is known of the options of C compilers that link.</summary>
internal static class HostLinkerFlags
{
    private static readonly string[] DroppedWithNext = ["-F", "-l", "-framework", "-Wl,-framework", "-Wl,-rpath", "-Wl,-undefined"];

    private static readonly string[] KeptWithNext =
    [
        "-B", "-L", "-arch", "-isysroot", "--sysroot", "-target", "--target", "-resource-dir", "-rtlib", "--rtlib", "-stdlib", "--stdlib",
        "-unwindlib", "--unwindlib",
    ];

    private static readonly string[] Kept =
    [
        "-B", "-L", "-f", "-m", "-p", "-Wl,", "-arch", "-isysroot", "--sysroot", "-target", "--target", "-resource-dir", "-rtlib", "--rtlib",
        "-stdlib", "--stdlib", "-unwindlib", "--unwindlib", "-nostdlib++", "-nostdlib", "-nodefaultlibs", "-nostartfiles", "-nostdinc++",
        "-nostdinc", "-nobuiltininc",
    ];

    /// <summary>Those that matter when an option is tried: libraries and inputs do not (trimLinkerArgv).</summary>
    public static List<string> ForTrial(IReadOnlyList<string> flags)
    {
        List<string> kept = [];
        for (int i = 0; i < flags.Count; i++)
        {
            string flag = flags[i];
            if (!flag.StartsWith('-'))
            {
                continue;
            }
            if (Array.IndexOf(DroppedWithNext, flag) >= 0)
            {
                i++;
            }
            else if (Array.IndexOf(KeptWithNext, flag) >= 0)
            {
                kept.Add(flag);
                if (++i < flags.Count)
                {
                    kept.Add(flags[i]);
                }
            }
            else if (Array.Exists(Kept, prefix => flag.StartsWith(prefix, StringComparison.Ordinal)))
            {
                kept.Add(flag);
            }
        }
        return kept;
    }
}
