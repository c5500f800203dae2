namespace AotLinker.Releases;

/// <summary>What differs between releases in code for LoongArch.</summary>
internal abstract partial class Release
{
    /// <summary>The alignment that loads and stores are given on loong64.</summary>
    public abstract int LoongAccessAlign { get; }

    /// <summary>Number of the register that trampolines of loong64 compute their target in.</summary>
    public abstract int LoongTrampolineRegister { get; }

    /// <summary>Whether calls of imported functions may go by trampolines on loong64, rather than always by the PLT.</summary>
    public abstract bool LoongTrampolinesReachImports { get; }

    /// <summary>Whether calls of host objects may go by trampolines on loong64.</summary>
    public virtual bool LoongTrampolinesServeObjects => true;

    /// <summary>Whether distances and thread-local offsets that don't fit their fields are errors on loong64, rather than cut off.</summary>
    public abstract bool ChecksLoongRanges { get; }

    /// <summary>Whether PIE, imports and host objects are linked internally on loong64.</summary>
    public virtual bool LoongLinksInternally => true;

    private sealed partial class Go124
    {
        public override bool LoongLinksInternally => false;
    }

    private partial class Go125
    {
        public override bool LoongTrampolinesReachImports => true;
        public override bool LoongTrampolinesServeObjects => false;
    }

    private partial class Go126
    {
        public override int LoongAccessAlign => 8;
        public override int LoongTrampolineRegister => 30;
        public override bool LoongTrampolinesReachImports => false;
        public override bool ChecksLoongRanges => false;
    }

    private sealed partial class Go127
    {
        public override int LoongAccessAlign => 1;
        public override int LoongTrampolineRegister => 20;
        public override bool LoongTrampolinesReachImports => true;
        public override bool ChecksLoongRanges => true;
    }
}
