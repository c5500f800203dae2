using AotLinker.Formats.Elf;
using AotLinker.Formats.MachO;
using AotLinker.Formats.Pe;
using AotLinker.Formats.Plan9;
using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Cpu;

/// <summary>
/// The CPU seam: what passes need to know about, and ask of, a target CPU (cmd/link ld.Arch, cmd/internal/sys.Arch). One file per CPU
/// derives from this; no pass names a CPU.
/// </summary>
internal abstract partial class CpuArch
{
    /// <summary>GOARCH.</summary>
    public abstract string Name { get; }

    /// <summary>Bytes in a pointer.</summary>
    public abstract int PointerSize { get; }

    /// <summary>Bytes in a register.</summary>
    public virtual int RegisterSize => PointerSize;

    /// <summary>Byte order.</summary>
    public abstract bool IsBigEndian { get; }

    /// <summary>Smallest instruction length: the unit of pc deltas.</summary>
    public abstract int MinLc { get; }

    /// <summary>Default alignment of functions (Funcalign).</summary>
    public abstract int FunctionAlign { get; }

    /// <summary>Largest alignment layout gives a symbol by its size (Maxalign).</summary>
    public abstract int MaxAlign { get; }

    /// <summary>Smallest alignment (Minalign).</summary>
    public abstract int MinAlign { get; }

    /// <summary>Largest alignment that loads and stores require (sys.Arch.Alignment).</summary>
    public virtual int AccessAlign(Release release) => 1;

    /// <summary>Bytes below the frame that hold the link register; 0 where calls push the return address.</summary>
    public abstract int FixedFrameSize { get; }

    /// <summary>Whether calls leave the return address in a register.</summary>
    public abstract bool HasLinkRegister { get; }

    /// <summary>Bytes below the stack pointer where every function saves the frame pointer; 0 where it does so above.</summary>
    public virtual int FramePointerSlot => 0;

    /// <summary>Whether the register ABI, and with it ABI wrappers, is in use.</summary>
    public abstract bool HasRegisterAbi { get; }

    /// <summary>DWARF number of the stack pointer (Dwarfregsp).</summary>
    public abstract int DwarfStackRegister { get; }

    /// <summary>DWARF number of the link register or return address column (Dwarfreglr).</summary>
    public abstract int DwarfReturnRegister { get; }

    /// <summary>Fill between functions; empty for zeros (CodePad).</summary>
    public abstract ReadOnlySpan<byte> CodePad { get; }

    /// <summary>Text size above which calls may need trampolines; 0 for never (TrampLimit).</summary>
    public virtual ulong TrampolineLimit => 0;

    /// <summary>
    /// Sets runtime variables that record the CPU variant the program is built for (linksetup: runtime.goarm). Called when the runtime is
    /// part of the module, right before its moduledata is defined.
    /// </summary>
    public virtual void DefineVariant(LinkContext ctx)
    {
    }

    /// <summary>Creates symbols that only an external linker gives their place (linksetup: .TOC.). Called by linksetup.</summary>
    public virtual void DefineForeignSymbols(LinkContext ctx)
    {
    }

    /// <summary>Creates symbols that the CPU's code refers to without a definition (linksetup: _GLOBAL_OFFSET_TABLE_). Called by linksetup.</summary>
    public virtual void DefineImplicitSymbols(LinkContext ctx)
    {
    }

    /// <summary>Creates the CPU's symbols with fixed roles (setArchSyms: TOC). Called by setarchsyms.</summary>
    public virtual void DefineArchSymbols(LinkContext ctx)
    {
    }

    /// <summary>Called when every symbol has its address, to give the CPU's own symbols theirs (address).</summary>
    public virtual void AddressesAssigned(LinkContext ctx)
    {
    }

    /// <summary>
    /// From the relocated field of a call back to the pc that stands for the call: the start of the instruction (computeDeferReturn). 0
    /// where relocations start at the instruction.
    /// </summary>
    public virtual int CallRelocBackoff(Target target, Releases.Release release) => 0;

    /// <summary>Whether host objects bring so many local labels as functions that they are left out of the runtime's tables (emitPcln).</summary>
    public virtual bool HasLocalLabels => false;

    /// <summary>
    /// Logarithm of what a function's address is divided by for the runtime's tables: 0, or where addresses are not bytes, as many bits
    /// as say which block of the function it is.
    /// </summary>
    public virtual int PcUnitShift => 0;

    /// <summary>
    /// Number of the program's first function where a pc is a function's number and, in its lower <see cref="PcUnitShift"/> bits, a
    /// place in it (AssignAddress).
    /// </summary>
    public virtual int FirstFunctionNumber => 0;

    /// <summary>
    /// Whether the pc to resume at after a call is the addend of the address relocation in front of it, rather than the call's own offset
    /// (computeDeferReturn).
    /// </summary>
    public virtual bool MarksResumePoints => false;

    /// <summary>Whether executables for darwin are always position-independent.</summary>
    public virtual bool AlwaysPieOnDarwin => false;

    /// <summary>
    /// Whether we link for this CPU what shares Go code with other modules: plugins, programs that load them, Go shared libraries. Such
    /// code has relocations and initialisers of its own.
    /// </summary>
    public virtual bool LinksModules => false;

    /// <summary>What the host's compiler is told so that it thinks of this CPU (hostlinkArchArgs).</summary>
    public virtual IReadOnlyList<string> HostCompilerArguments(Target target) => [];

    /// <summary>What ELF files for the CPU look like; null where there are none.</summary>
    public virtual ElfCpu? Elf => null;

    /// <summary>What Plan 9's executables for the CPU look like; null where there are none.</summary>
    public virtual Plan9Cpu? Plan9 => null;

    /// <summary>What Mach-O files for the CPU look like; null where there are none.</summary>
    public virtual MachOCpu? MachO => null;

    /// <summary>What PE images for the CPU look like; null where there are none.</summary>
    public virtual PeCpu? Pe => null;
}
