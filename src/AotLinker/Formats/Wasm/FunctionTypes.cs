using System.Buffers.Binary;

namespace AotLinker.Formats.Wasm;

/// <summary>
/// The function types of a module, numbered in the order in which they are first asked for. Type 0 is that of Go functions: the resume
/// point in, and out whether the stack is to be unwound.
/// </summary>
internal sealed class FunctionTypes
{
    private readonly List<byte[]> _types = [];

    /// <summary>The types that every module has.</summary>
    public FunctionTypes() => Index([Opcode.I32], [Opcode.I32]);

    /// <summary>Number of types.</summary>
    public int Count => _types.Count;

    /// <summary>
    /// The functions that are called, or call, in another way than Go's, all written in assembly: name, parameters, results. i is i32,
    /// l is i64, d is f64.
    /// </summary>
    private static ReadOnlySpan<byte> Special => """
        _rt0_wasm_js >
        _rt0_wasm_wasip1 >
        _rt0_wasm_wasip1_lib >
        wasm_export__start >
        wasm_export_run ii>
        wasm_export_resume >
        wasm_export_getsp >i
        wasm_pc_f_loop >
        wasm_pc_f_loop_export i>
        runtime.wasmDiv ll>l
        runtime.wasmTruncS d>l
        runtime.wasmTruncU d>l
        runtime.notInitialized >
        cmpbody llll>l
        memeqbody lll>l
        memcmp iii>i
        memchr iii>i
        gcWriteBarrier l>l
        runtime.gcWriteBarrier1 >l
        runtime.gcWriteBarrier2 >l
        runtime.gcWriteBarrier3 >l
        runtime.gcWriteBarrier4 >l
        runtime.gcWriteBarrier5 >l
        runtime.gcWriteBarrier6 >l
        runtime.gcWriteBarrier7 >l
        runtime.gcWriteBarrier8 >l
        """u8;

    /// <summary>The encoded form of a type.</summary>
    public ReadOnlySpan<byte> this[int index] => _types[index];

    /// <summary>The number of a type, which is added if it is new (lookupType).</summary>
    public int Index(ReadOnlySpan<byte> parameters, ReadOnlySpan<byte> results)
    {
        ModuleWriter type = new();
        type.Byte(Opcode.FunctionType);
        type.Name(parameters);
        type.Name(results);
        for (int i = 0; i < _types.Count; i++)
        {
            if (type.Written.SequenceEqual(_types[i]))
            {
                return i;
            }
        }
        _types.Add(type.Written.ToArray());
        return _types.Count - 1;
    }

    /// <summary>The number of a type that an object describes (format: obj.WasmFuncType).</summary>
    /// <param name="description">The description.</param>
    /// <param name="fieldTypes">The types by the release's numbers.</param>
    /// <exception cref="LinkException">The description is damaged.</exception>
    public int IndexOfDescribed(ReadOnlySpan<byte> description, ReadOnlySpan<byte> fieldTypes)
    {
        byte[] parameters = Fields(ref description, fieldTypes);
        return Index(parameters, Fields(ref description, fieldTypes));
    }

    /// <summary>The number of a type in the form that <see cref="TryGetSpecial"/> gives.</summary>
    public int IndexOfSpecial(ReadOnlySpan<byte> signature)
    {
        int arrow = signature.IndexOf((byte)'>');
        return Index(Types(signature[..arrow]), Types(signature[(arrow + 1)..]));

        static byte[] Types(ReadOnlySpan<byte> letters)
        {
            byte[] types = new byte[letters.Length];
            for (int i = 0; i < types.Length; i++)
            {
                types[i] = letters[i] switch
                {
                    (byte)'i' => Opcode.I32,
                    (byte)'l' => Opcode.I64,
                    _ => Opcode.F64,
                };
            }
            return types;
        }
    }

    /// <summary>Whether the function of that name has a type of its own.</summary>
    /// <param name="name">The name.</param>
    /// <param name="signature">Parameters and results, for <see cref="IndexOfSpecial"/>.</param>
    public static bool TryGetSpecial(ReadOnlySpan<byte> name, out ReadOnlySpan<byte> signature)
    {
        signature = default;
        // Nearly all names begin with a package's path.
        if (name.IsEmpty || !"_wrcmg"u8.Contains(name[0]))
        {
            return false;
        }
        foreach (Range range in Special.Split((byte)'\n'))
        {
            ReadOnlySpan<byte> line = Special[range];
            if (line.Length > name.Length && line[name.Length] == ' ' && line.StartsWith(name))
            {
                signature = line[(name.Length + 1)..];
                return true;
            }
        }
        return false;
    }

    // A count, and for each field its type and the place in Go's frame, which only the compiler needs.
    private static byte[] Fields(ref ReadOnlySpan<byte> data, ReadOnlySpan<byte> fieldTypes)
    {
        const int FieldSize = 1 + 8;
        if (data.Length < 4 || BinaryPrimitives.ReadUInt32LittleEndian(data) > (uint)(data.Length - 4) / FieldSize)
        {
            throw new LinkException("damaged object file: WebAssembly function type cut short");
        }
        byte[] types = new byte[BinaryPrimitives.ReadUInt32LittleEndian(data)];
        for (int i = 0; i < types.Length; i++)
        {
            byte field = data[4 + (i * FieldSize)];
            types[i] = field < fieldTypes.Length
                ? fieldTypes[field]
                : throw new LinkException($"damaged object file: unknown WebAssembly field type {field}");
        }
        data = data[(4 + (types.Length * FieldSize))..];
        return types;
    }
}
