using AotLinker.Emit;
using AotLinker.Objects;

namespace AotLinker.Formats.MachO;

/// <summary>
/// Mach-O for x86-64. Programs start with an explicit register state (LC_UNIXTHREAD), and needn't be signed. A slot of the system's
/// thread-local block is Go's.
/// </summary>
internal sealed class MachOAmd64 : MachOCpu
{
    /// <summary>X86_64_RELOC_UNSIGNED: an address.</summary>
    public const uint Unsigned = 0;

    /// <summary>X86_64_RELOC_SIGNED: a distance.</summary>
    public const uint Signed = 1;

    /// <summary>X86_64_RELOC_BRANCH: the distance of a function.</summary>
    public const uint Branch = 2;

    /// <summary>X86_64_RELOC_GOT_LOAD: the distance of a GOT entry, in an instruction that loads it.</summary>
    public const uint GotLoad = 3;

    /// <summary>X86_64_RELOC_GOT: the distance of a GOT entry.</summary>
    public const uint Got = 4;

    /// <summary>X86_64_RELOC_SUBTRACTOR: what to subtract from the address that follows.</summary>
    public const uint Subtractor = 5;

    /// <summary>X86_64_RELOC_SIGNED_1: a distance, with one byte behind the field.</summary>
    public const uint Signed1 = 6;

    /// <summary>X86_64_RELOC_SIGNED_2: a distance, with two bytes behind the field.</summary>
    public const uint Signed2 = 7;

    /// <summary>X86_64_RELOC_SIGNED_4: a distance, with four bytes behind the field.</summary>
    public const uint Signed4 = 8;

    private static readonly string[] RelocationNames =
        ["UNSIGNED", "SIGNED", "BRANCH", "GOT_LOAD", "GOT", "SUBTRACTOR", "SIGNED_1", "SIGNED_2", "SIGNED_4", "TLV"];

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

    /// <inheritdoc/>
    public override bool HasAddendsInFields => true;

    /// <inheritdoc/>
    public override bool CountsFromInstruction(MachORelocation r) => r.Type == Signed;

    /// <inheritdoc/>
    public override bool IsAddress(MachORelocation r) => r.Type == Unsigned;

    /// <inheritdoc/>
    public override bool CallsCountFromEnd => true;

    /// <inheritdoc/>
    public override MachOObjectRelocation? ObjectRelocation(in ExternalReloc left, int size) => left.Kind switch
    {
        RelocKind.Addr => new MachOObjectRelocation(Unsigned, size, IsPcRelative: false),
        RelocKind.Call => new MachOObjectRelocation(Branch, size, IsPcRelative: true),
        RelocKind.PcRel => new MachOObjectRelocation(Signed, size, IsPcRelative: true),
        RelocKind.GotPcRel => new MachOObjectRelocation(GotLoad, size, IsPcRelative: true),
        _ => null,
    };

    /// <inheritdoc/>
    public override string RelocationName(uint type) =>
        type < RelocationNames.Length ? "X86_64_RELOC_" + RelocationNames[type] : $"macho.RelocTypeX86_64({type})";
}
