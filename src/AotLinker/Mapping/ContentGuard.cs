namespace AotLinker.Mapping;

/// <summary>
/// Makes the private copies that <see cref="GuardedContent.Writable"/> needs when content is still read-only (relocations
/// when the output is not an image of memory, a pass that patches an input symbol), and counts them. With a mapped output
/// there are none: there, symbols are copied straight into the output and written in that place. Thread-safe.
/// </summary>
internal sealed unsafe class ContentGuard
{
    private readonly MemoryArena _arena;
    private readonly MemoryAccount _account;

    /// <param name="arena">Holds the private copies; its lifetime is theirs.</param>
    /// <param name="account">Counts them.</param>
    public ContentGuard(MemoryArena arena, MemoryAccount? account = null)
    {
        _arena = arena;
        _account = account ?? MemoryAccount.Shared;
    }

    internal byte* Copy(ReadOnlySpan<byte> content, long symbol)
    {
        byte* copy = _arena.Alloc(content.Length, 16);
        content.CopyTo(new Span<byte>(copy, content.Length));
        _account.CountPrivateCopy(symbol, content.Length);
        return copy;
    }
}
