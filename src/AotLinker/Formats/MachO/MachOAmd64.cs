using AotLinker.Objects;

namespace AotLinker.Formats.MachO;

/// <summary>
/// Mach-O for x86-64. Programs start with an explicit register state (LC_UNIXTHREAD), and needn't be signed. A slot of the system's
/// thread-local block is Go's.
/// </summary>
internal sealed class MachOAmd64 : MachOCpu
{
    private MachOAmd64()
    {
    }

    /// <summary>The one instance.</summary>
    public static MachOAmd64 Instance { get; } = new();

    /// <inheritdoc/>
    public override uint CpuType => 0x01000007;

    /// <inheritdoc/>
    public override uint CpuSubtype => 3;

    /// <inheritdoc/>
    public override long ImageBase => 0x1000000;

    /// <inheritdoc/>
    public override long Round => 4096;

    /// <inheritdoc/>
    public override int TlsOffset => 0x30;

    /// <inheritdoc/>
    public override bool HasWideInodeNames => true;

    /// <inheritdoc/>
    public override void AddEntryCommand(MachOHeader header, ulong entry, ulong image)
    {
        // x86_THREAD_STATE64, 42 words: 21 registers, the 17th of which is the instruction pointer.
        const uint ThreadState64 = 4;
        const int StateWords = 42;
        const int InstructionPointer = 2 + 32;
        Span<uint> words = stackalloc uint[2 + StateWords];
        words.Clear();
        words[0] = ThreadState64;
        words[1] = StateWords;
        words[InstructionPointer] = (uint)entry;
        words[InstructionPointer + 1] = (uint)(entry >> 32);
        header.AddCommand(MachOCommand.UnixThread, words);
    }

    /// <inheritdoc/>
    public override void AddStub(SymbolBuilder stubs, SymbolId got, int offset)
    {
        // jmpq *got(%rip)
        stubs.AddBytes([0xff, 0x25]);
        stubs.AddPcRelative4(got, offset);
    }
}
