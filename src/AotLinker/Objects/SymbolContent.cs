using System.Runtime.InteropServices;

namespace AotLinker.Objects;

/// <summary>Content and relocations that an external symbol owns: the private copy, made when they are first changed.</summary>
internal sealed class SymbolContent
{
    private byte[] _data = [];
    private int _length;
    private readonly List<RelocRecord> _relocs = [];

    /// <summary>Kinds of linker-made relocations: the number is the kind.</summary>
    public static ReadOnlySpan<byte> CanonicalKinds => Identity.Bytes;

    /// <summary>Whether the content is the symbol's own, rather than its origin's.</summary>
    public bool OwnsData { get; private set; }

    /// <summary>Whether the relocations are the symbol's own.</summary>
    public bool OwnsRelocs { get; private set; }

    /// <summary>The content.</summary>
    public Span<byte> Data => _data.AsSpan(0, _length);

    /// <summary>The relocations, with global targets and canonical kinds.</summary>
    public Span<RelocRecord> Relocs => CollectionsMarshal.AsSpan(_relocs);

    /// <summary>Replaces the content by a copy of <paramref name="bytes"/>.</summary>
    public void SetData(ReadOnlySpan<byte> bytes)
    {
        OwnsData = true;
        _data = bytes.ToArray();
        _length = bytes.Length;
    }

    /// <summary>Makes the content at least <paramref name="length"/> bytes long; new bytes are zero.</summary>
    public void Grow(long length)
    {
        OwnsData = true;
        if (length <= _length)
        {
            return;
        }
        if (length > _data.Length)
        {
            Array.Resize(ref _data, checked((int)Math.Max(length, Math.Min(_data.Length * 2L, Array.MaxLength))));
        }
        _length = (int)length;
    }

    /// <summary>Lets go of the content; the symbol keeps its size.</summary>
    public void FreeData()
    {
        OwnsData = true;
        _data = [];
        _length = 0;
    }

    /// <summary>Takes over relocations, in canonical form.</summary>
    public void SetRelocs(RelocList source)
    {
        OwnsRelocs = true;
        _relocs.Clear();
        _relocs.EnsureCapacity(source.Count);
        for (int i = 0; i < source.Count; i++)
        {
            _relocs.Add(source.Canonical(i));
        }
    }

    /// <summary>Adds a relocation.</summary>
    public void AddReloc(RelocRecord record)
    {
        OwnsRelocs = true;
        _relocs.Add(record);
    }

    /// <summary>Removes all relocations.</summary>
    public void ClearRelocs()
    {
        OwnsRelocs = true;
        _relocs.Clear();
    }

    private static class Identity
    {
        public static readonly byte[] Bytes = Make();

        private static byte[] Make()
        {
            byte[] bytes = new byte[256];
            for (int i = 0; i < bytes.Length; i++)
            {
                bytes[i] = (byte)i;
            }
            return bytes;
        }
    }
}
