using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Formats.Pe;

/// <summary>PE for 32-bit ARM, a port up to Go 1.25. Host objects are resources only: nothing jumps to imports but by way of variables.</summary>
internal sealed class PeArm : PeCpu
{
    /// <summary>The one there is.</summary>
    public static readonly PeArm Instance = new();

    /// <inheritdoc/>
    public override ushort Machine => 0x1c4;

    /// <inheritdoc/>
    public override bool IsAlwaysRelocated => true;

    /// <inheritdoc/>
    public override bool ProgramsCanCheckThemselves => false;

    /// <inheritdoc/>
    public override string EarlierName => "ARM ";

    /// <inheritdoc/>
    public override ushort AddressRelocation => 1;

    /// <inheritdoc/>
    /// <remarks>cmd/link has none for calls, so that every program is an error: the same as there.</remarks>
    public override ushort? ObjectRelocation(RelocKind kind, int size, int part) => kind switch
    {
        RelocKind.DwarfSecRef => 15,
        RelocKind.Addr => AddressRelocation,
        RelocKind.PeImageOff => 2,
        _ => null,
    };

    /// <inheritdoc/>
    public override void AddImportStub(SymbolBuilder stubs, SymbolId import, Release release) =>
        throw new LinkException("internal error in windynrelocsym: unsupported arch ARM");

    /// <inheritdoc/>
    public override PeHostRelocation? HostRelocation(ushort type) => type switch
    {
        1 => new(RelocKind.Addr, 4),
        2 => new(RelocKind.PeImageOff, 4),
        3 => new(RelocKind.CallArm, 4),
        15 => new(RelocKind.PcRel, 4),
        _ => null,
    };

    /// <inheritdoc/>
    public override PeHostRelocation? EarlierHostRelocation(ushort type) => HostRelocation(type);
}
