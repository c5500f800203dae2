using AotLinker.Emit;
using AotLinker.Objects;
using AotLinker.Releases;

namespace AotLinker.Cpu;

/// <summary>
/// MIPS, in either byte order: what 32 and 64 bits have in common. Calls leave the return address in R31. They hold 26 bits of the
/// target's word address and take the rest from the pc, so that a program lies within 256 MiB; there are no trampolines.
/// </summary>
/// <remarks>
/// Addresses are made of two halves, each its own relocation: lui sets the upper one, and the lower is added as a signed number, so the
/// upper is one more where the lower's highest bit is set. The thread pointer is 0x7000 past the start of thread-local storage.
/// </remarks>
internal abstract class Mips(bool isBigEndian) : CpuArch
{
    // Distance of the thread pointer from the start of thread-local storage.
    private const long ThreadPointerBias = 0x7000;

    /// <inheritdoc/>
    public override bool IsBigEndian => isBigEndian;

    /// <inheritdoc/>
    public override int MinLc => 4;

    /// <inheritdoc/>
    public override int MaxAlign => 32;

    /// <inheritdoc/>
    public override int MinAlign => 1;

    /// <inheritdoc/>
    public override int AccessAlign(Release release) => PointerSize;

    /// <inheritdoc/>
    public override int FixedFrameSize => PointerSize;

    /// <inheritdoc/>
    public override bool HasLinkRegister => true;

    /// <inheritdoc/>
    public override bool HasRegisterAbi => false;

    /// <inheritdoc/>
    public override int DwarfStackRegister => 29;

    /// <inheritdoc/>
    public override int DwarfReturnRegister => 31;

    /// <summary>Zeros, which do nothing.</summary>
    public override ReadOnlySpan<byte> CodePad => default;

    /// <inheritdoc/>
    public override ExternalForm ExternalFormOf(RelocKind kind) => kind switch
    {
        RelocKind.AddrMips or RelocKind.AddrMipsU => ExternalForm.Outer,
        RelocKind.AddrMipsTls or RelocKind.CallMips or RelocKind.JmpMips => ExternalForm.Target,
        _ => ExternalForm.None,
    };

    /// <inheritdoc/>
    public override bool TryApply(in RelocSite site, ulong content, out long value)
    {
        long target = site.Context.Symbols.Value(site.Target) + site.Addend;
        uint op = (uint)content;
        switch (site.Kind)
        {
            case RelocKind.AddrMips:
            case RelocKind.AddrMipsU:
                value = Put(site.Kind, op, target);
                return true;

            case RelocKind.AddrMipsTls:
                long offset = target - ThreadPointerBias;
                // The upper bound is the Go linker's.
                if (offset is < -32768 or >= 32678)
                {
                    site.Report($"TLS offset out of range {offset}");
                }
                value = Put(site.Kind, op, offset);
                return true;

            case RelocKind.CallMips:
            case RelocKind.JmpMips:
                CheckCall(in site, target);
                value = Put(site.Kind, op, target);
                return true;

            default:
                value = 0;
                return false;
        }
    }

    /// <summary>Reports a call that does not reach its target.</summary>
    protected virtual void CheckCall(in RelocSite site, long target)
    {
    }

    /// <summary>An instruction with an address, or the part of it that it takes.</summary>
    protected static long Put(RelocKind kind, uint op, long target) => kind switch
    {
        RelocKind.AddrMipsU => PutHalf(op, (target + 0x8000) >> 16),
        RelocKind.CallMips or RelocKind.JmpMips => (op & 0xfc000000) | ((target >> 2) & 0x03ffffff),
        _ => PutHalf(op, target),
    };

    private static long PutHalf(uint op, long half) => (op & 0xffff0000) | (half & 0xffff);
}
