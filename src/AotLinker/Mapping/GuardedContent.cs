using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AotLinker.Mapping;

/// <summary>Where the bytes of a symbol are, and so whether they may be written.</summary>
internal enum ContentState : byte
{
    /// <summary>No bytes.</summary>
    Empty,

    /// <summary>In an input: mapped, or read in place of a map. Never written.</summary>
    ReadOnly,

    /// <summary>In a copy of the link's own.</summary>
    Private,

    /// <summary>In a leased slice of the output.</summary>
    Output,
}

/// <summary>
/// The bytes of a symbol together with their state; 16 bytes, so that a column of them is cheap. It can only be read:
/// <see cref="Writable"/> is the one way to a writable span.
/// </summary>
/// <remarks>One content is written by one thread at a time; different ones by any number.</remarks>
internal readonly unsafe struct GuardedContent
{
    private readonly byte* _data;
    private readonly int _length;

    private GuardedContent(byte* data, int length, ContentState state)
    {
        _data = data;
        _length = length;
        State = length == 0 ? ContentState.Empty : state;
    }

    public ContentState State { get; }

    public int Length => _length;

    public ReadOnlySpan<byte> Bytes => new(_data, _length);

    /// <summary>Part of an input, bounds-checked against it.</summary>
    public static GuardedContent OfInput(InputFile file, long offset, int length) => OfInput(file.Span(offset, length));

    /// <summary>A span that came from an <see cref="InputFile"/>; never one of managed memory, which moves.</summary>
    public static GuardedContent OfInput(ReadOnlySpan<byte> bytes) =>
        new((byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(bytes)), bytes.Length, ContentState.ReadOnly);

    /// <summary>A leased slice of the output that already holds the bytes; valid as long as the lease.</summary>
    public static GuardedContent OfOutput(in OutputLease lease) => OfOutput(lease, 0, lease.Length);

    /// <summary>Part of a leased slice of the output that already holds the bytes; valid as long as the lease.</summary>
    public static GuardedContent OfOutput(in OutputLease lease, int start, int length)
    {
        Span<byte> bytes = lease.Span.Slice(start, length);
        return new((byte*)Unsafe.AsPointer(ref MemoryMarshal.GetReference(bytes)), length, ContentState.Output);
    }

    /// <summary>
    /// A writable span of the content. Read-only content is first replaced by a private copy, which
    /// <paramref name="guard"/> makes and counts; <paramref name="symbol"/> says whose it is, in the account.
    /// </summary>
    public static Span<byte> Writable(ref GuardedContent content, ContentGuard guard, long symbol)
    {
        if (content.State == ContentState.ReadOnly)
            content = new GuardedContent(guard.Copy(content.Bytes, symbol), content.Length, ContentState.Private);
        return new Span<byte>(content._data, content._length);
    }
}
