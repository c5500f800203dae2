namespace AotLinker.Formats.Plan9;

/// <summary>What Plan 9 executables for a CPU look like (ld.Arch.Plan9Magic, and the Plan 9 case of each CPU's archinit).</summary>
/// <param name="Magic">The number that files for the CPU begin with.</param>
/// <param name="IsWide">
/// Whether the kernel's headers have 64 bits: the magic number says so, the full entry point follows the header, and values in the
/// symbol table take 8 bytes.
/// </param>
/// <param name="Round">Rounding of segments when -R does not say otherwise, and where the file is loaded when -T does not.</param>
internal sealed record Plan9Cpu(uint Magic, bool IsWide, long Round)
{
    /// <summary>386: I_MAGIC.</summary>
    public static Plan9Cpu I386 { get; } = new((4 * 11 * 11) + 7, false, 0x1000);

    /// <summary>amd64: S_MAGIC, pages of 2 MiB.</summary>
    public static Plan9Cpu Amd64 { get; } = new((4 * 26 * 26) + 7, true, 0x200000);

    /// <summary>arm: E_MAGIC.</summary>
    public static Plan9Cpu Arm { get; } = new(0x647, false, 0x1000);
}
