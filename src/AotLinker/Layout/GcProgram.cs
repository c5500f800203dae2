using System.Buffers;
using AotLinker.Objects;

namespace AotLinker.Layout;

/// <summary>
/// Encodes which words of a memory range are pointers, as the runtime's GC programs (cmd/internal/gcprog): literal bits in groups of up
/// to 127, and repetitions of the last n bits.
/// </summary>
/// <remarks>
/// Instructions: 0 ends the program; 0nnnnnnn is followed by n bits, eight to a byte, least significant first; 1nnnnnnn and a varint c
/// repeat the last n words c times, n being a varint as well if the seven bits are 0.
/// </remarks>
internal struct GcProgramWriter(IBufferWriter<byte> output)
{
    private const int MaxLiterals = 127;

    private UInt128 _literals;
    private int _literalCount;

    /// <summary>Number of words described so far.</summary>
    public long Index { get; private set; }

    /// <summary>Says that the word at an index is a pointer; words before it that were not mentioned are none.</summary>
    public void Pointer(long index)
    {
        ZeroUntil(index);
        Literal(1);
    }

    /// <summary>Says that words up to an index are no pointers.</summary>
    public void ZeroUntil(long index)
    {
        const int FewWords = 32;
        long skip = index - Index;
        if (skip < 0)
        {
            throw new InvalidOperationException($"GC program at word {Index} can't go back to {index}");
        }
        if (skip == 0)
        {
            return;
        }
        if (skip < FewWords)
        {
            for (; skip > 0; skip--)
            {
                Literal(0);
            }
            return;
        }
        Literal(0);
        Repeat(1, skip - 1);
    }

    /// <summary>Repeats the last <paramref name="n"/> words <paramref name="count"/> more times.</summary>
    public void Repeat(long n, long count)
    {
        if (n == 0 || count == 0)
        {
            return;
        }
        FlushLiterals();
        if (n < 128)
        {
            Byte((byte)(0x80 | n));
        }
        else
        {
            Byte(0x80);
            Varint(n);
        }
        Varint(count);
        Index += n * count;
    }

    /// <summary>Ends the program.</summary>
    public void End()
    {
        FlushLiterals();
        Byte(0);
    }

    private void Literal(uint bit)
    {
        if (_literalCount == MaxLiterals)
        {
            FlushLiterals();
        }
        _literals |= (UInt128)bit << _literalCount;
        _literalCount++;
        Index++;
    }

    private void FlushLiterals()
    {
        if (_literalCount == 0)
        {
            return;
        }
        Byte((byte)_literalCount);
        for (int bits = _literalCount; bits > 0; bits -= 8)
        {
            Byte((byte)_literals);
            _literals >>= 8;
        }
        _literals = 0;
        _literalCount = 0;
    }

    private readonly void Varint(long v)
    {
        for (; v >= 0x80; v >>= 7)
        {
            Byte((byte)(0x80 | v));
        }
        Byte((byte)v);
    }

    private readonly void Byte(byte b)
    {
        output.GetSpan(1)[0] = b;
        output.Advance(1);
    }
}

/// <summary>Describes the pointers of placed variables by their types (ld.GCProg).</summary>
internal sealed class GcProgramBuilder
{
    private readonly LinkContext _ctx;
    private readonly SymbolTable _symbols;
    private readonly SymbolId _program;
    private readonly int _pointerSize;
    private readonly ArrayBufferWriter<byte> _bytes = new(1 << 12);
    private GcProgramWriter _writer;
    private SymbolId _lastVariable;

    /// <summary>A builder of the content of <paramref name="program"/>.</summary>
    public GcProgramBuilder(LinkContext ctx, SymbolId program)
    {
        _ctx = ctx;
        _symbols = ctx.Symbols;
        _program = program;
        _pointerSize = ctx.Target.PointerSize;
        _writer = new GcProgramWriter(_bytes);
    }

    /// <summary>The program, once it has ended.</summary>
    public ReadOnlySpan<byte> Program => _bytes.WrittenSpan;

    /// <summary>Adds a variable; its value is its offset in the memory described. Variables come in ascending order.</summary>
    public void AddSymbol(SymbolId s)
    {
        _lastVariable = s;
        SymbolId type = _symbols.Aux(s, AuxKind.GoType);
        if (!type.IsNone)
        {
            AddType(_symbols.Value(s), type);
            return;
        }
        ReadOnlySpan<byte> name = _symbols.Name(s);
        if (name.SequenceEqual("runtime.data"u8) || name.SequenceEqual("runtime.edata"u8) || name.SequenceEqual("runtime.bss"u8)
            || name.SequenceEqual("runtime.ebss"u8) || name.SequenceEqual("runtime.gcdata"u8) || name.SequenceEqual("runtime.gcbss"u8))
        {
            // Markers that are laid out as symbols.
            return;
        }
        // Data without pointers has kinds of its own, so all that comes here must have a type.
        Report($"missing Go type information for global symbol {_symbols.NameText(s)}: size {_symbols.Size(s)}");
    }

    /// <summary>Ends the program for memory of <paramref name="size"/> bytes.</summary>
    public void End(long size)
    {
        _writer.ZeroUntil(size / _pointerSize);
        _writer.End();
    }

    private void AddType(long offset, SymbolId type)
    {
        TypeDescriptor descriptor = new(_symbols, type);
        if (descriptor.PointerBytes == 0)
        {
            Report("has no pointers but in data section");
        }
        switch (descriptor.Kind)
        {
            case GoKind.Array:
                AddArray(offset, descriptor);
                break;
            case GoKind.Struct:
                AddStruct(offset, descriptor);
                break;
            default:
                AddMask(offset, descriptor);
                break;
        }
    }

    private void AddMask(long offset, TypeDescriptor descriptor)
    {
        if (descriptor.HasGcMaskOnDemand)
        {
            Report("GC mask not available");
        }
        ReadOnlySpan<byte> mask = MaskOf(descriptor);
        long words = descriptor.PointerBytes / _pointerSize;
        long first = offset / _pointerSize;
        for (long i = 0; i < words && i / 8 < mask.Length; i++)
        {
            if (((mask[(int)(i / 8)] >> (int)(i % 8)) & 1) != 0)
            {
                _writer.Pointer(first + i);
            }
        }
    }

    // What descriptors of shared libraries refer to, only the libraries' own relocations tell.
    private bool IsImported(in TypeDescriptor descriptor) =>
        _ctx.SharedLibraries is not null && _symbols.Kind(descriptor.Symbol) == SymbolKind.DynImport;

    private ReadOnlySpan<byte> MaskOf(in TypeDescriptor descriptor)
    {
        if (!IsImported(descriptor))
        {
            return _symbols.Data(descriptor.GcMask);
        }
        const int BitsOfByte = 8;
        int bytes = (int)(((descriptor.PointerBytes / _pointerSize) + BitsOfByte - 1) / BitsOfByte);
        return _ctx.SharedLibraries!.GcMask(descriptor.Symbol, descriptor.GcMaskOffset, bytes);
    }

    private SymbolId TargetAt(in TypeDescriptor descriptor, int offset) =>
        IsImported(descriptor) ? _ctx.SharedLibraries!.TargetAt(descriptor.Symbol, offset) : descriptor.TargetAt(offset);

    private void AddArray(long offset, TypeDescriptor descriptor)
    {
        SymbolId element = TargetAt(descriptor, descriptor.CommonSize);
        long count = (long)descriptor.UInt(descriptor.CommonSize + (2 * _pointerSize), _pointerSize);
        AddType(offset, element);
        if (count > 1)
        {
            long size = new TypeDescriptor(_symbols, element).ValueSize;
            _writer.ZeroUntil((offset + size) / _pointerSize);
            _writer.Repeat(size / _pointerSize, count - 1);
        }
    }

    private void AddStruct(long offset, TypeDescriptor descriptor)
    {
        int fieldSize = 3 * _pointerSize;
        long count = (long)descriptor.UInt(descriptor.CommonSize + (2 * _pointerSize), _pointerSize);
        int field = descriptor.RecordSize + (descriptor.HasUncommon ? TypeDescriptor.UncommonSize : 0);
        for (; count > 0; count--, field += fieldSize)
        {
            SymbolId type = TargetAt(descriptor, field + _pointerSize);
            if (new TypeDescriptor(_symbols, type).PointerBytes != 0)
            {
                AddType(offset + (long)descriptor.UInt(field + (2 * _pointerSize), _pointerSize), type);
            }
        }
    }

    private void Report(string text) => _ctx.Diagnostics.Report(_lastVariable.Index, $"{_symbols.NameText(_program)}: {text}");
}
