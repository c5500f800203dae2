namespace AotLinker.Releases;

/// <summary>What differs between releases in Windows programs.</summary>
internal abstract partial class Release
{
    /// <summary>The version of Windows that programs ask for at least (PeMinimumTargetMajorVersion, …MinorVersion).</summary>
    public abstract (ushort Major, ushort Minor) WindowsVersion { get; }

    /// <summary>Whether programs have a load configuration (_load_config_used).</summary>
    public abstract bool HasWindowsLoadConfig { get; }

    /// <summary>
    /// Whether unwind tables are made when functions have their addresses, and so are in their order, and a host object's are taken entry
    /// by entry, as far as functions are live.
    /// </summary>
    public abstract bool SortsUnwindTables { get; }

    /// <summary>Whether programs without a symbol table may have debug information (<c>-s -w=0</c>).</summary>
    public virtual bool HasWindowsDwarfWithoutSymbols => true;

    /// <summary>
    /// Whether programs of 64 bits lie where those of other linkers lie, far beyond 32-bit addresses. If not, those for amd64 lie at the
    /// addresses of 32-bit programs, and code may hold addresses.
    /// </summary>
    public virtual bool PutsWindowsProgramsHigh => true;

    /// <summary>Whether an external linker may be Microsoft's, which is asked for.</summary>
    public virtual bool KnowsMicrosoftLinkers => true;

    /// <summary>Whether LLVM's linker is asked for before anything else; if not, when it matters.</summary>
    public virtual bool AsksForLlvmFirst => true;

    /// <summary>Whether an external linker is told what to export.</summary>
    public virtual bool ListsWindowsExports => true;

    /// <summary>Whether names of libraries that an external linker could take for something else are refused.</summary>
    public virtual bool ChecksLibraryNames => true;

    /// <summary>How many such places each of <see cref="LabelledFunctions"/> has, its start among them.</summary>
    public const int LabelsOfFunction = 64;

    /// <summary>Functions that are called at other places than their start (Duff's devices), and the distance of these places.</summary>
    public virtual (byte[] Name, int Step)[] LabelledFunctions => [];

    /// <summary>Whether large data without a name has labels, which then have no more of one than their offset.</summary>
    public virtual bool LabelsNamelessData => false;

    private sealed partial class Go124
    {
        public override bool PutsWindowsProgramsHigh => false;
    }

    private partial class Go125
    {
        public override bool HasWindowsDwarfWithoutSymbols => false;
        public override bool KnowsMicrosoftLinkers => false;
        public override bool ListsWindowsExports => false;
        public override bool ChecksLibraryNames => false;
        public override bool LabelsNamelessData => true;
    }

    private partial class Go126
    {
        public override (ushort Major, ushort Minor) WindowsVersion => (6, 1);
        public override bool HasWindowsLoadConfig => false;
        public override bool AsksForLlvmFirst => false;

        public override (byte[] Name, int Step)[] LabelledFunctions =>
            [("runtime.duffcopy"u8.ToArray(), 8), ("runtime.duffzero"u8.ToArray(), 4)];
        public override bool SortsUnwindTables => false;
    }

    private sealed partial class Go127
    {
        public override (ushort Major, ushort Minor) WindowsVersion => (10, 0);
        public override bool HasWindowsLoadConfig => true;
        public override bool SortsUnwindTables => true;
    }
}
