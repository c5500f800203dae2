namespace AotLinker.Synthesize.Dwarf;

/// <summary>Numbers of the abbreviations that the linker writes itself (cmd/internal/dwarf DW_ABRV_*).</summary>
internal enum Abbreviation : byte
{
    /// <summary>End of a list of children.</summary>
    Null,
    /// <summary>Compilation unit with code.</summary>
    Unit,
    /// <summary>Compilation unit without code.</summary>
    UnitWithoutText,
    /// <summary>Field of a structure.</summary>
    StructField = 14,
    /// <summary>Parameter of a function type.</summary>
    FuncParam,
    /// <summary>Result of a function type.</summary>
    FuncResult,
    /// <summary>"..." of a function type.</summary>
    DotDotDot,
    /// <summary>Range of an array's index.</summary>
    ArrayRange,
    /// <summary>The unspecified type.</summary>
    NullType,
    /// <summary>Boolean or number.</summary>
    BaseType,
    /// <summary>Array.</summary>
    ArrayType,
    /// <summary>Channel.</summary>
    ChanType,
    /// <summary>Function.</summary>
    FuncType,
    /// <summary>Interface.</summary>
    InterfaceType,
    /// <summary>Map.</summary>
    MapType,
    /// <summary>Pointer.</summary>
    PointerType,
    /// <summary>unsafe.Pointer.</summary>
    BarePointerType,
    /// <summary>Slice.</summary>
    SliceType,
    /// <summary>String.</summary>
    StringType,
    /// <summary>Structure.</summary>
    StructType,
    /// <summary>Name of a type.</summary>
    Typedef,
}

/// <summary>
/// The .debug_abbrev section: the shapes of all DIEs that compiler, assembler and linker write, one fixed table for a target
/// (cmd/internal/dwarf.GetAbbrev).
/// </summary>
internal static class Abbreviations
{
    // Forms that depend on the target; none of the standard's form numbers is used twice by this.
    private const byte LineForm = 0x99;
    private const byte LowPcForm = 0x9a;
    private const byte HighPcForm = 0x9b;

    private const byte FormAddr = 0x01;
    private const byte FormData4 = 0x06;
    private const byte FormUData = 0x0f;
    private const byte FormSecOffset = 0x17;
    private const byte FormAddrX = 0x1b;

    private const byte TagCompileUnit = 0x11;
    private const ushort AtLowPc = 0x11;
    private const ushort AtAddrBase = 0x73;

    // Per abbreviation: tag, children, number of attributes; per attribute: name and form.
    private static ReadOnlySpan<ushort> Table =>
    [
        // Unit: name, language, stmt_list, low_pc, ranges, comp_dir, producer, go_package_name
        0x11, 1, 8, 0x03, 0x08, 0x13, 0x0b, 0x10, 0x17, 0x11, 0x01, 0x55, 0x17, 0x1b, 0x08, 0x25, 0x08, 0x2905, 0x08,
        // Unit without text: name, language, comp_dir, producer, go_package_name
        0x11, 1, 5, 0x03, 0x08, 0x13, 0x0b, 0x1b, 0x08, 0x25, 0x08, 0x2905, 0x08,
        // Function: name, low_pc, high_pc, frame_base, decl_file, decl_line, external
        0x2e, 1, 7, 0x03, 0x08, 0x11, LowPcForm, 0x12, HighPcForm, 0x40, 0x0a, 0x3a, 0x06, 0x3b, 0x0f, 0x3f, 0x0c,
        // Wrapper: name, low_pc, high_pc, frame_base, trampoline
        0x2e, 1, 5, 0x03, 0x08, 0x11, LowPcForm, 0x12, HighPcForm, 0x40, 0x0a, 0x56, 0x0c,
        // Abstract function: name, inline, decl_line, external
        0x2e, 1, 4, 0x03, 0x08, 0x20, 0x0b, 0x3b, 0x0f, 0x3f, 0x0c,
        // Concrete function: abstract_origin, low_pc, high_pc, frame_base
        0x2e, 1, 4, 0x31, 0x10, 0x11, LowPcForm, 0x12, HighPcForm, 0x40, 0x0a,
        // Concrete wrapper: the same, trampoline
        0x2e, 1, 5, 0x31, 0x10, 0x11, LowPcForm, 0x12, HighPcForm, 0x40, 0x0a, 0x56, 0x0c,
        // Inlined call: abstract_origin, low_pc, high_pc, call_file, call_line
        0x1d, 1, 5, 0x31, 0x10, 0x11, LowPcForm, 0x12, HighPcForm, 0x58, 0x06, 0x59, LineForm,
        // Inlined call in several ranges: abstract_origin, ranges, call_file, call_line
        0x1d, 1, 4, 0x31, 0x10, 0x55, 0x17, 0x58, 0x06, 0x59, LineForm,
        // Global variable: name, location, type, external
        0x34, 0, 4, 0x03, 0x08, 0x02, 0x0a, 0x49, 0x10, 0x3f, 0x0c,
        // Integer constant: name, type, const_value
        0x27, 0, 3, 0x03, 0x08, 0x49, 0x10, 0x1c, 0x0d,
        // Lexical block in several ranges: ranges
        0x0b, 1, 1, 0x55, 0x17,
        // Lexical block: low_pc, high_pc
        0x0b, 1, 2, 0x11, 0x01, 0x12, 0x01,
        // Struct field: name, data_member_location, type, go_embedded_field
        0x0d, 0, 4, 0x03, 0x08, 0x38, 0x0f, 0x49, 0x10, 0x2903, 0x0c,
        // Function parameter: type
        0x05, 0, 1, 0x49, 0x10,
        // Function result: variable_parameter, type
        0x05, 0, 2, 0x4b, 0x0c, 0x49, 0x10,
        // Dot dot dot
        0x18, 0, 0,
        // Array range: type, count
        0x21, 0, 2, 0x49, 0x10, 0x37, 0x0f,
        // Null type: name
        0x3b, 0, 1, 0x03, 0x08,
        // Base type: name, encoding, byte_size, go_kind, go_runtime_type
        0x24, 0, 5, 0x03, 0x08, 0x3e, 0x0b, 0x0b, 0x0b, 0x2900, 0x0b, 0x2904, 0x01,
        // Array: name, type, byte_size, go_kind, go_runtime_type
        0x01, 1, 5, 0x03, 0x08, 0x49, 0x10, 0x0b, 0x0f, 0x2900, 0x0b, 0x2904, 0x01,
        // Channel: name, type, go_kind, go_runtime_type, go_elem
        0x16, 0, 5, 0x03, 0x08, 0x49, 0x10, 0x2900, 0x0b, 0x2904, 0x01, 0x2902, 0x10,
        // Function type: name, byte_size, go_kind, go_runtime_type
        0x15, 1, 4, 0x03, 0x08, 0x0b, 0x0f, 0x2900, 0x0b, 0x2904, 0x01,
        // Interface: name, type, go_kind, go_runtime_type
        0x16, 1, 4, 0x03, 0x08, 0x49, 0x10, 0x2900, 0x0b, 0x2904, 0x01,
        // Map: name, type, go_kind, go_runtime_type, go_key, go_elem
        0x16, 0, 6, 0x03, 0x08, 0x49, 0x10, 0x2900, 0x0b, 0x2904, 0x01, 0x2901, 0x10, 0x2902, 0x10,
        // Pointer: name, type, go_kind, go_runtime_type
        0x0f, 0, 4, 0x03, 0x08, 0x49, 0x10, 0x2900, 0x0b, 0x2904, 0x01,
        // Bare pointer: name, go_runtime_type
        0x0f, 0, 2, 0x03, 0x08, 0x2904, 0x01,
        // Slice: name, byte_size, go_kind, go_runtime_type, go_elem
        0x13, 1, 5, 0x03, 0x08, 0x0b, 0x0f, 0x2900, 0x0b, 0x2904, 0x01, 0x2902, 0x10,
        // String: name, byte_size, go_kind, go_runtime_type
        0x13, 1, 4, 0x03, 0x08, 0x0b, 0x0f, 0x2900, 0x0b, 0x2904, 0x01,
        // Structure: the same
        0x13, 1, 4, 0x03, 0x08, 0x0b, 0x0f, 0x2900, 0x0b, 0x2904, 0x01,
        // Typedef: name, type
        0x16, 0, 2, 0x03, 0x08, 0x49, 0x10,
        // Dictionary entry: name, type, go_dict_index
        0x16, 0, 3, 0x03, 0x08, 0x49, 0x10, 0x2906, 0x0f,

        // Variables and parameters. 2907 is go_closure_offset; the location is a list (17) or an expression (0a).
        0x34, 0, 3, 0x03, 0x08, 0x3b, 0x0f, 0x49, 0x10,
        0x05, 0, 3, 0x03, 0x08, 0x4b, 0x0c, 0x49, 0x10,
        0x34, 0, 2, 0x31, 0x10, 0x02, 0x17,
        0x34, 0, 2, 0x31, 0x10, 0x02, 0x0a,
        0x34, 0, 5, 0x03, 0x08, 0x3b, 0x0f, 0x49, 0x10, 0x2907, 0x0f, 0x02, 0x17,
        0x34, 0, 5, 0x03, 0x08, 0x3b, 0x0f, 0x49, 0x10, 0x2907, 0x0f, 0x02, 0x0a,
        0x34, 0, 4, 0x03, 0x08, 0x3b, 0x0f, 0x49, 0x10, 0x02, 0x17,
        0x34, 0, 4, 0x03, 0x08, 0x3b, 0x0f, 0x49, 0x10, 0x02, 0x0a,
        0x05, 0, 2, 0x31, 0x10, 0x02, 0x17,
        0x05, 0, 2, 0x31, 0x10, 0x02, 0x0a,
        0x05, 0, 6, 0x03, 0x08, 0x4b, 0x0c, 0x3b, 0x0f, 0x49, 0x10, 0x2907, 0x0f, 0x02, 0x17,
        0x05, 0, 6, 0x03, 0x08, 0x4b, 0x0c, 0x3b, 0x0f, 0x49, 0x10, 0x2907, 0x0f, 0x02, 0x0a,
        0x05, 0, 5, 0x03, 0x08, 0x4b, 0x0c, 0x3b, 0x0f, 0x49, 0x10, 0x02, 0x17,
        0x05, 0, 5, 0x03, 0x08, 0x4b, 0x0c, 0x3b, 0x0f, 0x49, 0x10, 0x02, 0x0a,
    ];

    /// <summary>Content of .debug_abbrev.</summary>
    /// <param name="dwarf5">DWARF 5: code addresses are indices into .debug_addr.</param>
    /// <param name="fixedLines">Lines of inlined calls take four bytes (darwin, ios: dsymutil wants it).</param>
    public static byte[] Encode(bool dwarf5, bool fixedLines)
    {
        // A tag, an attribute and a form take at most two bytes, so twice the table's length is enough.
        byte[] buffer = new byte[Table.Length * 2 + 64];
        DieWriter w = new(buffer, 8, false, default);
        ulong number = 0;
        for (int at = 0; at < Table.Length;)
        {
            w.Unsigned(++number);
            ushort tag = Table[at];
            w.Unsigned(tag);
            w.Byte(Table[at + 1]);
            int attributes = Table[at + 2];
            at += 3;
            bool hasLowPc = false;
            for (int i = 0; i < attributes; i++, at += 2)
            {
                w.Unsigned(Table[at]);
                hasLowPc |= Table[at] == AtLowPc;
                w.Unsigned((byte)Table[at + 1] switch
                {
                    LineForm => fixedLines ? FormData4 : FormUData,
                    LowPcForm => dwarf5 ? FormAddrX : FormAddr,
                    HighPcForm => dwarf5 ? FormUData : FormAddr,
                    byte form => form,
                });
            }
            if (dwarf5 && tag == TagCompileUnit && hasLowPc)
            {
                w.Unsigned(AtAddrBase);
                w.Unsigned(FormSecOffset);
            }
            w.UInt16(0);
        }
        w.Byte(0);
        return buffer[..w.Length];
    }
}
