using AotLinker.Objects;

namespace AotLinker.Formats.MachO;

/// <summary>
/// Mach-O for arm64: pages of 16 KiB, an image above 4 GiB, an entry point relative to the image (LC_MAIN), and a code signature without
/// which the system kills the program.
/// </summary>
internal sealed class MachOArm64 : MachOCpu
{
    private MachOArm64()
    {
    }

    /// <summary>The one instance.</summary>
    public static MachOArm64 Instance { get; } = new();

    /// <inheritdoc/>
    public override uint CpuType => 0x0100000c;

    /// <inheritdoc/>
    public override uint CpuSubtype => 0;

    /// <inheritdoc/>
    public override long ImageBase => 1L << 32;

    /// <inheritdoc/>
    public override long Round => 16384;

    /// <inheritdoc/>
    public override bool NeedsCodeSignature => true;

    /// <inheritdoc/>
    public override void AddEntryCommand(MachOHeader header, ulong entry, ulong image)
    {
        // The stack size that follows is 0 for the system's choice.
        ulong offset = entry - image;
        header.AddCommand(MachOCommand.Main, (uint)offset, (uint)(offset >> 32), 0, 0);
    }

    /// <inheritdoc/>
    public override void AddStub(SymbolBuilder stubs, SymbolId got, int offset)
    {
        const uint AdrpX16 = 0x90000010;
        const uint LdrX17FromX16 = 0xf9400211;
        const uint BrX17 = 0xd61f0220;
        AddRelocated(AdrpX16);
        AddRelocated(LdrX17FromX16);
        stubs.AddUInt32(BrX17);

        void AddRelocated(uint instruction)
        {
            int at = (int)stubs.Size;
            stubs.AddUInt32(instruction);
            stubs.AddReloc(RelocKind.Arm64Got, at, 4, got, offset);
        }
    }
}
