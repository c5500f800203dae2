using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Formats.Pe;

/// <summary>PE for x86-64. Functions that save the frame pointer tell the system so in unwind tables.</summary>
internal sealed class PeAmd64 : PeCpu
{
    /// <summary>The one there is.</summary>
    public static readonly PeAmd64 Instance = new();

    /// <inheritdoc/>
    public override ushort Machine => 0x8664;

    /// <inheritdoc/>
    public override bool HasUnwindTables => true;

    /// <inheritdoc/>
    public override long ImageBase(Release release) => release.PutsWindowsProgramsHigh ? HighImageBase : base.ImageBase(release);

    /// <inheritdoc/>
    public override void AddImportStub(SymbolBuilder stubs, SymbolId import, Release release)
    {
        // JMP through memory, and NOPs. Where addresses don't fit 32 bits, the memory is told relative to the program counter.
        if (release.PutsWindowsProgramsHigh)
        {
            stubs.AddBytes([0xff, 0x25]);
            stubs.AddPcRelative4(import);
        }
        else
        {
            stubs.AddBytes([0xff, 0x24, 0x25]);
            stubs.AddAddress4(import);
        }
        while (stubs.Size % 8 != 0)
            stubs.AddBytes([0x90]);
    }

    /// <inheritdoc/>
    public override bool RelocatesDistances => true;

    /// <inheritdoc/>
    public override ushort AddressRelocation => 1;

    /// <inheritdoc/>
    public override ushort? ObjectRelocation(RelocKind kind, int size, int part) => kind switch
    {
        RelocKind.DwarfSecRef => 11,
        RelocKind.Addr => size == 8 ? AddressRelocation : (ushort)2,
        RelocKind.PeImageOff => 3,
        RelocKind.Call or RelocKind.PcRel => 4,
        _ => null,
    };

    /// <inheritdoc/>
    public override PeHostRelocation? HostRelocation(ushort type) => type switch
    {
        1 => new(RelocKind.Addr, 8),
        2 => new(RelocKind.Addr, 4),
        3 => new(RelocKind.PeImageOff, 4),
        4 => new(RelocKind.PcRel, 4),
        _ => null,
    };
}
