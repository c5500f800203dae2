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

    private sealed partial class Go126
    {
        public override MacVersion? FixedMacVersion => new MacVersion(12, 0, 0);
        public override byte UuidVariantBits => 0xc0;
        public override bool AlwaysHasUuid => false;
        public override bool BindsImportsInData => false;
    }

    private sealed partial class Go127
    {
        public override MacVersion? FixedMacVersion => null;
        public override byte UuidVariantBits => 0x80;
        public override bool AlwaysHasUuid => true;
        public override bool BindsImportsInData => true;
    }
}
