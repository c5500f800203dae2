using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Formats.Pe;

/// <summary>
/// PE for x86. Code is full of absolute addresses: a position-independent program is one that the system relocates as a whole, so that
/// its code in memory is not what the linker hashed.
/// </summary>
internal sealed class Pe386 : PeCpu
{
    /// <summary>The one there is.</summary>
    public static readonly Pe386 Instance = new();

    /// <inheritdoc/>
    public override ushort Machine => 0x14c;

    /// <inheritdoc/>
    public override bool ProgramsCanCheckThemselves => false;

    /// <inheritdoc/>
    public override bool HasUnderscores => true;

    /// <inheritdoc/>
    public override void AddImportStub(SymbolBuilder stubs, SymbolId import, Release release)
    {
        // JMP through memory; two NOPs.
        stubs.AddBytes([0xff, 0x25]);
        stubs.AddAddress(import);
        stubs.AddBytes([0x90, 0x90]);
    }

    /// <inheritdoc/>
    public override ushort AddressRelocation => 6;

    /// <inheritdoc/>
    public override ushort? ObjectRelocation(RelocKind kind, int size, int part) => kind switch
    {
        RelocKind.DwarfSecRef => 11,
        RelocKind.Addr => AddressRelocation,
        RelocKind.PeImageOff => 7,
        RelocKind.Call or RelocKind.PcRel => 20,
        _ => null,
    };

    /// <inheritdoc/>
    public override PeHostRelocation? HostRelocation(ushort type) => type switch
    {
        6 => new(RelocKind.Addr, 4),
        7 => new(RelocKind.PeImageOff, 4),
        20 => new(RelocKind.PcRel, 4),
        _ => null,
    };
}
