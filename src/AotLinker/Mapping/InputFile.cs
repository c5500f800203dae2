using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace AotLinker.Mapping;

/// <summary>
/// One input, read in place: mapped for reading alone, or read into memory where it can't or needn't be mapped (pipes, odd
/// file systems, small files, past the number of maps). Its descriptor is closed at once; the content stays until
/// <see cref="Dispose"/>. There is no finalizer: an input that is never disposed lives as long as the process.
/// </summary>
internal sealed unsafe class InputFile : IDisposable
{
    private readonly InputStore _store;
    private readonly FileFacts _facts;
    private readonly int _guardSlot = -1;
    private readonly long _unmapped;
    private readonly HeadBytes _head;
    private byte* _base;

    /// <summary>A file that was read.</summary>
    internal InputFile(InputStore store, string path, byte* content, long length, in FileFacts facts)
    {
        _store = store;
        _base = content;
        _facts = facts;
        Path = path;
        Length = length;
    }

    /// <summary>A file that is mapped from offset <paramref name="unmapped"/> on.</summary>
    internal InputFile(InputStore store, string path, byte* map, long length, long unmapped, in FileFacts facts, in HeadBytes head)
        : this(store, path, map - unmapped, length, facts)
    {
        _unmapped = unmapped;
        _head = head;
        IsMapped = true;
        _guardSlot = FaultGuard.AddMap(map, length - unmapped, path, isOutput: false);
    }

    /// <summary>The path as it was given (<see cref="HostPath"/> text).</summary>
    public string Path { get; }

    /// <summary>
    /// The first byte, whether or not the file is mapped from there on (<see cref="FirstMapped"/>). Content is for reading alone: a store
    /// through this pointer faults when mapped.
    /// </summary>
    public byte* Base => _base;

    public long Length { get; }

    public bool IsMapped { get; }

    /// <summary>Offset from which on the content is there, in a map or read; 0 unless whoever opened the file needed less.</summary>
    public long FirstMapped => _unmapped;

    /// <summary>
    /// The first bytes, or all of a short file: what kind of file it is can be seen without a page of the map for it, which costs ten times
    /// as much as reading them.
    /// </summary>
    public ReadOnlySpan<byte> Head =>
        _head.Length != 0 || _unmapped != 0 ? _head.Span : new(_base, (int)Math.Min(Length, HeadBytes.Size));

    /// <summary>Opens an input of the process's only link.</summary>
    /// <param name="path">The file.</param>
    /// <param name="firstNeeded">As for <see cref="InputStore.TryOpen"/>.</param>
    /// <exception cref="LinkException">"open x: no such file or directory", with Go's words for the host's reason.</exception>
    public static InputFile Open(string path, Func<ReadOnlySpan<byte>, long>? firstNeeded = null) => Open(InputStore.Shared, path, firstNeeded);

    /// <summary>Opens an input whose path is bytes, as read from importcfg.</summary>
    /// <exception cref="LinkException">As for the other overloads.</exception>
    public static InputFile Open(ReadOnlySpan<byte> path) => Open(InputStore.Shared, HostPath.Decode(path));

    /// <exception cref="LinkException">"open x: no such file or directory", with Go's words for the host's reason.</exception>
    public static InputFile Open(InputStore store, string path, Func<ReadOnlySpan<byte>, long>? firstNeeded = null) =>
        store.TryOpen(path, out InputFile? file, out string? error, firstNeeded) ? file : throw new LinkException(error);

    /// <summary>A part of the file, of what is mapped of it.</summary>
    /// <exception cref="LinkException">The part reaches past the end: the file is truncated, or a size in it is wrong.</exception>
    public ReadOnlySpan<byte> Span(long offset, int length)
    {
        if ((ulong)offset > (ulong)Length || (uint)length > (ulong)(Length - offset) || _base == null)
            ThrowTruncated(offset, length);
        ArgumentOutOfRangeException.ThrowIfLessThan(offset, _unmapped);
        return new ReadOnlySpan<byte>(_base + offset, length);
    }

    /// <summary>
    /// Tells the system how a part is about to be used. For content that was read into memory this does nothing.
    /// <see cref="MapAdvice.DontNeed"/> lets go of the pages that lie wholly within the part.
    /// </summary>
    public void Advise(long offset, long length, MapAdvice advice)
    {
        if (!IsMapped || _base == null || offset < 0 || offset >= Length || length <= 0)
            return;
        long page = _store.Host.PageSize;
        long end = Math.Min(offset + length, Length);
        long start = Math.Max(offset, _unmapped);
        if (advice == MapAdvice.DontNeed)
        {
            // A page shared with a neighbouring part may still be wanted; the file's last page belongs to the file alone.
            start = (start + page - 1) & ~(page - 1);
            if (end != Length)
                end &= ~(page - 1);
        }
        else
        {
            start &= ~(page - 1);
        }

        if (start < end)
            _store.Host.Advise(_base + start, end - start, advice);
    }

    /// <summary>
    /// Whether the bytes this link read may not be those the file held when it was opened: the same file has another size
    /// or was written to. To be asked once, when the link is done with its inputs.
    /// </summary>
    /// <remarks>
    /// A file that was replaced or deleted is no change: the map keeps the old file. A new modification time alone is no
    /// change either when it equals the access time to the nanosecond, for then both were set by hand: the go command
    /// touches the entries of its build cache like that while other builds read them.
    /// </remarks>
    public bool ChangedSinceOpen()
    {
        if (!IsMapped || _store.Host.FactsAt(Path, follow: true, out FileFacts now).IsError || !now.IsSameFile(_facts))
            return false;
        return now.Length != _facts.Length || (now.Modified != _facts.Modified && now.Modified != now.Accessed);
    }

    public void Dispose()
    {
        if (_base != null && IsMapped)
        {
            FaultGuard.Remove(_guardSlot);
            _store.Unmap(_base + _unmapped, Length - _unmapped);
        }

        _base = null;
    }

    [DoesNotReturn]
    private void ThrowTruncated(long offset, int length)
    {
        ObjectDisposedException.ThrowIf(_base == null && Length > 0, this);
        throw new LinkException($"{Path}: truncated: {length} bytes at offset {offset} reach past its end at {Length}");
    }

    /// <summary>The first bytes of a file, read beside any map of it.</summary>
    internal struct HeadBytes
    {
        public const int Size = 128;

        private Bytes _bytes;

        /// <summary>How many there are; 0 if they can't be read: they are looked for in the map then, where the error is told.</summary>
        public int Length { get; private set; }

        [UnscopedRef]
        public readonly ReadOnlySpan<byte> Span => ((ReadOnlySpan<byte>)_bytes)[..Length];

        public static HeadBytes Of(HostSystem host, HostFile handle)
        {
            HeadBytes head = default;
            head.Length = host.ReadAt(handle, 0, (byte*)&head._bytes, Size, out long read).IsNone ? (int)read : 0;
            return head;
        }

        [InlineArray(Size)]
        private struct Bytes
        {
            private byte _first;
        }
    }
}
