using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace AotLinker.Objects;

/// <summary>
/// What the compiler says about a function, read in place (format: cmd/internal/goobj/funcinfo.go). Little-endian on all ports.
/// </summary>
internal readonly ref struct FuncInfo
{
    private const int FileCountOffset = 16;
    private const int InlineRecordSize = 24;

    private readonly ReadOnlySpan<byte> _data;
    private readonly int _inlines;

    /// <summary>A view of a record of <paramref name="owner"/>; an empty one means that there is none.</summary>
    /// <exception cref="LinkException">The record is cut short.</exception>
    public FuncInfo(ReadOnlySpan<byte> data, GoObject? owner)
    {
        _data = data;
        if (data.IsEmpty)
        {
            return;
        }
        long files = data.Length >= FileCountOffset + 4 ? BinaryPrimitives.ReadUInt32LittleEndian(data[FileCountOffset..]) : long.MaxValue / 8;
        long inlines = FileCountOffset + 4 + (4 * files);
        if (inlines + 4 > data.Length
            || inlines + 4 + ((long)InlineRecordSize * BinaryPrimitives.ReadUInt32LittleEndian(data[(int)inlines..])) > data.Length)
        {
            throw owner?.Damaged("function record cut short") ?? new LinkException("function record cut short");
        }
        FileCount = (int)files;
        InlineCount = (int)BinaryPrimitives.ReadUInt32LittleEndian(data[(int)inlines..]);
        _inlines = (int)inlines + 4;
    }

    /// <summary>The record of a function; not valid if it has none.</summary>
    public static FuncInfo Of(SymbolTable table, SymbolId s) => new(table.FuncInfo(s, out GoObject? owner), owner);

    /// <summary>The record of a definition of an object; not valid if it has none.</summary>
    public static FuncInfo Of(GoObject owner, int local)
    {
        foreach (ref readonly AuxRecord aux in owner.Auxes(local))
        {
            if (aux.Kind == AuxKind.FuncInfo)
            {
                return new FuncInfo(owner.Data((int)Math.Min(aux.Target.SymbolIndex, int.MaxValue)), owner);
            }
        }
        return default;
    }

    /// <summary>Whether there is a record: functions of host objects have none.</summary>
    public bool IsValid => !_data.IsEmpty;

    /// <summary>Bytes of arguments and results on the stack.</summary>
    public uint Args => BinaryPrimitives.ReadUInt32LittleEndian(_data);

    /// <summary>Bytes of the frame.</summary>
    public uint Locals => BinaryPrimitives.ReadUInt32LittleEndian(_data[4..]);

    /// <summary>Which function of the runtime it is, 0 for none of those it knows (abi.FuncID).</summary>
    public byte FuncId => _data[8];

    /// <summary>Properties of the frame (abi.FuncFlag).</summary>
    public byte Flags => _data[9];

    /// <summary>Line of the func keyword.</summary>
    public uint StartLine => BinaryPrimitives.ReadUInt32LittleEndian(_data[12..]);

    /// <summary>Number of source files in the function's line table.</summary>
    public int FileCount { get; }

    /// <summary>Number of calls that were inlined into the function.</summary>
    public int InlineCount { get; }

    /// <summary>The i-th source file, as an index into the compilation unit's list.</summary>
    public uint File(int i) => BinaryPrimitives.ReadUInt32LittleEndian(_data[(FileCountOffset + 4 + (4 * i))..]);

    /// <summary>The i-th inlined call.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ref readonly InlinedCall Inlined(int i) =>
        ref MemoryMarshal.AsRef<InlinedCall>(_data.Slice(_inlines + (i * InlineRecordSize), InlineRecordSize));
}

/// <summary>A call that was inlined, as it lies in the record (goobj.InlTreeNode): 24 bytes.</summary>
/// <param name="Parent">Index of the inlined call it is part of, -1 for the function itself.</param>
/// <param name="File">File of the call, as an index into the compilation unit's list.</param>
/// <param name="Line">Line of the call.</param>
/// <param name="Function">The function that was inlined, in the numbering of the caller's object.</param>
/// <param name="ParentPc">Offset of an instruction that stands for the call in the caller.</param>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal readonly record struct InlinedCall(int Parent, uint File, int Line, SymRef Function, int ParentPc);
