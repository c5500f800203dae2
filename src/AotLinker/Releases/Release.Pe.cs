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

    private sealed partial class Go124
    {
        public override bool PutsWindowsProgramsHigh => false;
    }

    private partial class Go125
    {
        public override bool HasWindowsDwarfWithoutSymbols => false;
    }

    private partial class Go126
    {
        public override (ushort Major, ushort Minor) WindowsVersion => (6, 1);
        public override bool HasWindowsLoadConfig => false;
        public override bool SortsUnwindTables => false;
    }

    private sealed partial class Go127
    {
        public override (ushort Major, ushort Minor) WindowsVersion => (10, 0);
        public override bool HasWindowsLoadConfig => true;
        public override bool SortsUnwindTables => true;
    }
}
