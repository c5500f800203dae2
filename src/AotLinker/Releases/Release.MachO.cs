using AotLinker.Cli;

namespace AotLinker.Releases;

/// <summary>What differs between releases in Mach-O files.</summary>
internal abstract partial class Release
{
    /// <summary>The version of macOS and of its SDK that programs name, where there are no flags for them.</summary>
    public abstract MacVersion? FixedMacVersion { get; }

    /// <summary>The two upper bits of a UUID's ninth byte, its variant.</summary>
    public abstract byte UuidVariantBits { get; }

    /// <summary>
    /// Whether a program gets a UUID in any case: one made of its content where less than 16 bytes are given. If not, missing bytes are
    /// zeros, and without any there is no UUID.
    /// </summary>
    public abstract bool AlwaysHasUuid { get; }

    /// <summary>Whether data that holds an imported symbol's address is bound to it at start-up, rather than only relocated.</summary>
    public abstract bool BindsImportsInData { get; }

    /// <summary>Whether sections of Mach-O objects keep the alignment they ask for.</summary>
    public abstract bool AlignsMachOSections { get; }

    /// <summary>
    /// Whether a program tells the version of macOS that the first of its host objects tells, and not its own. What objects for other
    /// systems tell is taken in any case.
    /// </summary>
    public abstract bool TakesMacVersionOfObjects { get; }

    /// <summary>Whether the GOT becomes read-only where data is relocated at run time.</summary>
    public virtual bool HasReadOnlyMachOGot => true;

    /// <summary>The name of the GOT's section.</summary>
    public virtual string MachOGotSection => "__got";

    /// <summary>Whether relocations of Mach-O objects are put in the order of their fields.</summary>
    public virtual bool SortsMachORelocations => false;

    /// <summary>Whether differences of addresses in Mach-O objects for amd64 are linked.</summary>
    public virtual bool LinksMachODifferences => true;

    /// <summary>Whether an object for an external linker tells the version of macOS, where no other object tells that of another system.</summary>
    public virtual bool ObjectsTellMacVersion => true;

    /// <summary>Whether objects have labels for calls into the middle of functions that copy or clear memory, of which there are such calls.</summary>
    public virtual bool LabelsDuffDevices => false;

    /// <summary>Whether only symbols that are laid out by themselves have labels for places that are out of reach.</summary>
    public virtual bool LabelsOnlyWholeSymbols => true;

    /// <summary>Whether the race detector's object may miss a function that only new systems have.</summary>
    public virtual bool AllowsRaceWithoutDyldHeader => true;

    /// <summary>Whether the external linker is kept from fixups that tell the number of segments, where a segment is added to its output.</summary>
    public virtual bool AvoidsFixupChains => true;

    private partial class Go125
    {
        public override bool LabelsOnlyWholeSymbols => false;
        public override bool AvoidsFixupChains => false;
    }

    private sealed partial class Go124
    {
        public override MacVersion? FixedMacVersion => new MacVersion(11, 0, 0);
        public override bool HasReadOnlyMachOGot => false;
        public override string MachOGotSection => "__nl_symbol_ptr";
        public override bool SortsMachORelocations => true;
        public override bool LinksMachODifferences => false;
    }

    private partial class Go126
    {
        public override MacVersion? FixedMacVersion => new MacVersion(12, 0, 0);
        public override byte UuidVariantBits => 0xc0;
        public override bool AlwaysHasUuid => false;
        public override bool BindsImportsInData => false;
        public override bool AlignsMachOSections => false;
        public override bool TakesMacVersionOfObjects => true;
        public override bool ObjectsTellMacVersion => false;
        public override bool LabelsDuffDevices => true;
        public override bool AllowsRaceWithoutDyldHeader => false;
    }

    private sealed partial class Go127
    {
        public override MacVersion? FixedMacVersion => null;
        public override byte UuidVariantBits => 0x80;
        public override bool AlwaysHasUuid => true;
        public override bool BindsImportsInData => true;
        public override bool AlignsMachOSections => true;
        public override bool TakesMacVersionOfObjects => false;
    }
}
