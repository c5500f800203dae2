namespace AotLinker.Releases;

/// <summary>What differs between releases in the command lines of external linkers.</summary>
internal abstract partial class Release
{
    /// <summary>Whether an external linker leaves out debug information with -w. If not, it keeps that of C.</summary>
    public virtual bool OmitsForeignDwarf => true;

    /// <summary>Whether GNU's usual linker links modules of Go on 64-bit ARM if it is new enough; if not, only gold does.</summary>
    public virtual bool PrefersGnuLinker => true;

    /// <summary>How an external linker is told the interpreter, which follows.</summary>
    public virtual string InterpreterOption => "-Wl,--dynamic-linker=";

    /// <summary>Options that don't count when another is tried, and whose next argument doesn't either (trimLinkerArgv).</summary>
    public virtual string[] TrialDropsWithNext => ["-F", "-l", "-framework", "-Wl,-framework", "-Wl,-rpath", "-Wl,-undefined"];

    /// <summary>Options that count with their next argument.</summary>
    public virtual string[] TrialKeepsWithNext =>
    [
        "-B", "-L", "-arch", "-isysroot", "--sysroot", "-target", "--target", "-resource-dir", "-rtlib", "--rtlib", "-stdlib", "--stdlib",
        "-unwindlib", "--unwindlib",
    ];

    /// <summary>How other options that count begin.</summary>
    public virtual string[] TrialKeeps =>
    [
        "-B", "-L", "-f", "-m", "-p", "-Wl,", "-arch", "-isysroot", "--sysroot", "-target", "--target", "-resource-dir", "-rtlib", "--rtlib",
        "-stdlib", "--stdlib", "-unwindlib", "--unwindlib", "-nostdlib++", "-nostdlib", "-nodefaultlibs", "-nostartfiles", "-nostdinc++",
        "-nostdinc", "-nobuiltininc",
    ];

    private partial class Go126
    {
        public override string[] TrialDropsWithNext => ["-F", "-l", "-L", "-framework", "-Wl,-framework", "-Wl,-rpath", "-Wl,-undefined"];
        public override string[] TrialKeepsWithNext => ["-arch", "-isysroot", "--sysroot", "-target", "--target"];
        public override string[] TrialKeeps => ["-f", "-m", "-p", "-Wl,", "-arch", "-isysroot", "--sysroot", "-target", "--target"];
    }

    private partial class Go125
    {
        public override bool OmitsForeignDwarf => false;
        public override string InterpreterOption => "-Wl,--dynamic-linker,";
        public override string[] TrialKeepsWithNext => ["-arch", "-isysroot", "--sysroot", "-target"];
        public override string[] TrialKeeps => ["-f", "-m", "-p", "-Wl,", "-arch", "-isysroot", "--sysroot", "-target"];
    }

    private sealed partial class Go124
    {
        public override bool PrefersGnuLinker => false;
    }
}
