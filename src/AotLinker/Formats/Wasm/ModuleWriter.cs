using System.Buffers;

namespace AotLinker.Formats.Wasm;

/// <summary>Builds the short sections of a module in memory.</summary>
internal sealed class ModuleWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new();

    /// <summary>Length so far.</summary>
    public int Length => _bytes.WrittenCount;

    /// <summary>What was written.</summary>
    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    /// <summary>Appends a byte.</summary>
    public void Byte(byte b)
    {
        _bytes.GetSpan(1)[0] = b;
        _bytes.Advance(1);
    }

    /// <summary>Appends bytes.</summary>
    public void Bytes(ReadOnlySpan<byte> bytes) => _bytes.Write(bytes);

    /// <summary>Appends an unsigned number.</summary>
    public void Number(ulong v) => _bytes.Advance(Leb128.Write(_bytes.GetSpan(Leb128.MaxLength), v));

    /// <summary>Appends a name: its length and its bytes.</summary>
    public void Name(ReadOnlySpan<byte> name)
    {
        Number((ulong)name.Length);
        Bytes(name);
    }

    /// <summary>Appends an expression that is a constant of type i32.</summary>
    public void ConstantI32(int v)
    {
        Byte(Opcode.I32Const);
        _bytes.Advance(Leb128.WriteSigned(_bytes.GetSpan(Leb128.MaxLength), v));
        Byte(Opcode.End);
    }

    /// <summary>Appends the head of a section whose content, of a known length, is written elsewhere.</summary>
    public void SectionHead(SectionId id, long length)
    {
        Byte((byte)id);
        Leb128.WriteFixed(_bytes.GetSpan(Leb128.FixedLength), length);
        _bytes.Advance(Leb128.FixedLength);
    }

    /// <summary>Appends a section.</summary>
    public void Section(SectionId id, ModuleWriter content)
    {
        SectionHead(id, content.Length);
        Bytes(content.Written);
    }
}

/// <summary>Section numbers.</summary>
internal enum SectionId : byte
{
    /// <summary>Custom: begins with a name.</summary>
    Custom = 0,
    /// <summary>Function types.</summary>
    Type = 1,
    /// <summary>Imports.</summary>
    Import = 2,
    /// <summary>The types of the functions.</summary>
    Function = 3,
    /// <summary>Tables for indirect calls.</summary>
    Table = 4,
    /// <summary>Linear memories.</summary>
    Memory = 5,
    /// <summary>Global variables.</summary>
    Global = 6,
    /// <summary>Exports.</summary>
    Export = 7,
    /// <summary>Initial content of tables.</summary>
    Element = 9,
    /// <summary>Function bodies.</summary>
    Code = 10,
    /// <summary>Initial content of memory.</summary>
    Data = 11,
}

/// <summary>Numbers of the binary format.</summary>
internal static class Opcode
{
    /// <summary>i32.const.</summary>
    public const byte I32Const = 0x41;

    /// <summary>i64.const.</summary>
    public const byte I64Const = 0x42;

    /// <summary>end.</summary>
    public const byte End = 0x0b;

    /// <summary>Type i32.</summary>
    public const byte I32 = 0x7f;

    /// <summary>Type i64.</summary>
    public const byte I64 = 0x7e;

    /// <summary>Type f64.</summary>
    public const byte F64 = 0x7c;

    /// <summary>Begin of a function type.</summary>
    public const byte FunctionType = 0x60;

    /// <summary>An import or export that is a function.</summary>
    public const byte Function = 0;

    /// <summary>An import or export that is a memory.</summary>
    public const byte Memory = 2;
}
