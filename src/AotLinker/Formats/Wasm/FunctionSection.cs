using System.Buffers.Binary;
using AotLinker.Explain;
using AotLinker.Mapping;
using AotLinker.Objects;

namespace AotLinker.Formats.Wasm;

/// <summary>
/// The functions of a module: what they import, their types, their bodies and their names. A relocation of code stands between two bytes
/// and is a number of variable length, so that bodies are put together anew rather than relocated in place: measured first, all in
/// parallel, then written.
/// </summary>
internal sealed class FunctionSection
{
    /// <summary>Functions that one worker takes at a time.</summary>
    private const int ChunkSize = 512;

    /// <summary>Bytes of the output that one worker writes at a time.</summary>
    private const int BlockSize = 1 << 20;

    private readonly LinkContext _ctx;
    private readonly SymbolTable _symbols;
    private readonly Dictionary<SymbolId, int> _importOf = [];
    private readonly uint[] _bodySizes;
    private readonly uint[] _nameSizes;
    private readonly SymbolId _buildId;
    private readonly List<Block> _code = [];
    private readonly List<Block> _names = [];

    /// <summary>Finds out what there is, and how long it gets.</summary>
    /// <exception cref="LinkException">An object is damaged.</exception>
    public FunctionSection(LinkContext ctx)
    {
        _ctx = ctx;
        _symbols = ctx.Symbols;
        _bodySizes = new uint[ctx.Text.Count];
        _nameSizes = new uint[ctx.Text.Count];
        TypeOf = new int[ctx.Text.Count];
        if (ctx.Text.Count != 0 && IsBuildId(ctx.Text[0]))
        {
            _buildId = ctx.Text[0];
        }
        FindImportsAndTypes();
        ctx.Workers.ForChunks(ctx.Text.Count, ChunkSize, (from, to, _) =>
        {
            for (int i = from; i < to; i++)
            {
                _bodySizes[i] = BodySize(ctx.Text[i]);
                _nameSizes[i] = (uint)WriteName(_symbols.Name(ctx.Text[i]), default);
            }
        });
        ctx.Diagnostics.Flush();
        CodeLength = Cut(_bodySizes, withIndex: false, _code);
        NamesLength = Cut(_nameSizes, withIndex: true, _names);
    }

    /// <summary>The function types, those of imports first.</summary>
    public FunctionTypes Types { get; } = new();

    /// <summary>What is imported from the host, in order.</summary>
    public List<Import> Imports { get; } = [];

    /// <summary>The type of each function.</summary>
    public int[] TypeOf { get; }

    /// <summary>Content of the build ID's symbol; empty if there is none.</summary>
    public ReadOnlySpan<byte> BuildId => _buildId.IsNone ? default : _symbols.Data(_buildId);

    /// <summary>Bytes of all bodies with their lengths.</summary>
    public long CodeLength { get; }

    /// <summary>Bytes of all names with their indices and lengths.</summary>
    public long NamesLength { get; }

    /// <summary>The index by which a function is called; imports have the first ones.</summary>
    public long IndexOf(SymbolId s) => Imports.Count + (_symbols.Value(s) >> _ctx.Target.Cpu.PcUnitShift) - _ctx.Target.Cpu.FirstFunctionNumber;

    /// <summary>Writes the bodies at an offset of the output.</summary>
    public void WriteCode(long at) => WriteBlocks(_code, at, (i, span) =>
    {
        int n = Leb128.Write(span, _bodySizes[i]);
        WriteBody(_ctx.Text[i], span.Slice(n, (int)_bodySizes[i]));
        return n + (int)_bodySizes[i];
    });

    /// <summary>Says where each body is, its length in front of it included, when they stand at an offset of the output.</summary>
    public void DescribeCode(FileMap map, long at)
    {
        for (int i = 0; i < _bodySizes.Length; i++)
        {
            long length = Leb128.SizeOf(_bodySizes[i]) + (long)_bodySizes[i];
            map.Function(_ctx.Text[i], at, length);
            at += length;
        }
    }

    /// <summary>Writes the names at an offset of the output.</summary>
    public void WriteNames(long at) => WriteBlocks(_names, at, (i, span) =>
    {
        int n = Leb128.Write(span, (ulong)(Imports.Count + i));
        n += Leb128.Write(span[n..], _nameSizes[i]);
        return n + WriteName(_symbols.Name(_ctx.Text[i]), span.Slice(n, (int)_nameSizes[i]));
    });

    /// <summary>
    /// Writes a function's name as it is shown: letters, digits, the underscore and the dot stay, any other character becomes an
    /// underscore. Returns the length; an empty span is not written to.
    /// </summary>
    public static int WriteName(ReadOnlySpan<byte> name, Span<byte> to)
    {
        int n = 0;
        for (int i = 0; i < name.Length; n++)
        {
            byte b = name[i];
            if (b >= 0x80)
            {
                // What is no UTF-8 counts byte by byte.
                bool valid = System.Text.Rune.DecodeFromUtf8(name[i..], out _, out int length) == System.Buffers.OperationStatus.Done;
                i += valid ? length : 1;
                b = (byte)'_';
            }
            else
            {
                i++;
                if (!char.IsAsciiLetterOrDigit((char)b) && b != (byte)'.')
                {
                    b = (byte)'_';
                }
            }
            if (!to.IsEmpty)
            {
                to[n] = b;
            }
        }
        return n;
    }

    private bool IsBuildId(SymbolId s) => _symbols.Name(s).SequenceEqual("go:buildid"u8);

    private void FindImportsAndTypes()
    {
        List<SymbolId> text = _ctx.Text;
        List<int>?[] found = new List<int>?[(text.Count + ChunkSize - 1) / ChunkSize];
        _ctx.Workers.ForChunks(text.Count, ChunkSize, (from, to, _) =>
        {
            for (int i = from; i < to; i++)
            {
                if (HasOwnType(text[i]))
                {
                    (found[from / ChunkSize] ??= []).Add(i);
                }
            }
        });
        foreach (int i in Found())
        {
            AddImports(text[i]);
        }
        foreach (int i in Found())
        {
            if (FunctionTypes.TryGetSpecial(_symbols.Name(text[i]), out ReadOnlySpan<byte> signature))
            {
                TypeOf[i] = Types.IndexOfSpecial(signature);
            }
            SymbolId type = _symbols.Aux(text[i], AuxKind.WasmType);
            if (!type.IsNone)
            {
                TypeOf[i] = Types.IndexOfDescribed(_symbols.Data(type), _ctx.Release.WasmFieldTypes);
            }
        }

        IEnumerable<int> Found()
        {
            foreach (List<int>? chunk in found)
            {
                foreach (int i in chunk ?? [])
                {
                    yield return i;
                }
            }
        }
    }

    private bool HasOwnType(SymbolId s)
    {
        if (FunctionTypes.TryGetSpecial(_symbols.Name(s), out _))
        {
            return true;
        }
        foreach (ref readonly AuxRecord aux in _symbols.Auxes(s, out _))
        {
            if (aux.Kind is AuxKind.WasmImport or AuxKind.WasmType)
            {
                return true;
            }
        }
        return false;
    }

    /// <summary>An import for each place that calls the host.</summary>
    private void AddImports(SymbolId s)
    {
        RelocList relocs = _symbols.Relocs(s);
        for (int i = 0; i < relocs.Count; i++)
        {
            SymbolId import = relocs.Kind(i) == RelocKind.WasmImport ? _symbols.Aux(s, AuxKind.WasmImport) : SymbolId.None;
            if (import.IsNone)
            {
                continue;
            }
            ReadOnlySpan<byte> data = _symbols.Data(import);
            byte[] module = Text(ref data);
            byte[] name = Text(ref data);
            _importOf[s] = Imports.Count;
            Imports.Add(new Import(module, name, Types.IndexOfDescribed(data, _ctx.Release.WasmFieldTypes)));
        }

        static byte[] Text(ref ReadOnlySpan<byte> data)
        {
            if (data.Length < 4 || BinaryPrimitives.ReadUInt32LittleEndian(data) > (uint)(data.Length - 4))
            {
                throw new LinkException("damaged object file: WebAssembly import cut short");
            }
            int length = BinaryPrimitives.ReadInt32LittleEndian(data);
            byte[] text = data.Slice(4, length).ToArray();
            data = data[(4 + length)..];
            return text;
        }
    }

    /// <summary>Checks a function's relocations and adds up its body.</summary>
    private uint BodySize(SymbolId s)
    {
        if (s == _buildId)
        {
            return (uint)EmptyBody.Length;
        }
        RelocList relocs = _symbols.Relocs(s);
        long size = _symbols.Data(s).Length;
        long length = size;
        int previous = 0;
        for (int i = 0; i < relocs.Count; i++)
        {
            ref readonly RelocRecord r = ref relocs[i];
            if (relocs.Kind(i) == RelocKind.WasmImport && _symbols.Aux(s, AuxKind.WasmImport).IsNone)
            {
                throw new LinkException($"missing wasm symbol for {_symbols.NameText(relocs.Target(i))}");
            }
            if (r.IsMarker)
            {
                continue;
            }
            if (r.Offset < previous || r.Offset > length)
            {
                throw new LinkException($"{_symbols.NameText(s)}: invalid relocation at {r.Offset} of {length}");
            }
            previous = r.Offset;
            if (TryGetValue(relocs, i, out long value))
            {
                size += Leb128.SizeOfSigned(value);
            }
            else
            {
                int number = _ctx.Release.RelocKinds.IndexOf((byte)relocs.Kind(i));
                _ctx.Diagnostics.Report(_symbols.Value(s), $"{_symbols.NameText(s)}: bad reloc type {number} ({relocs.Kind(i).GoName()})");
            }
        }
        return checked((uint)size);
    }

    private void WriteBody(SymbolId s, Span<byte> to)
    {
        if (s == _buildId)
        {
            EmptyBody.CopyTo(to);
            return;
        }
        RelocList relocs = _symbols.Relocs(s);
        ReadOnlySpan<byte> code = _symbols.Data(s);
        int from = 0;
        for (int i = 0; i < relocs.Count; i++)
        {
            ref readonly RelocRecord r = ref relocs[i];
            if (r.IsMarker || !TryGetValue(relocs, i, out long value))
            {
                continue;
            }
            code[from..r.Offset].CopyTo(to);
            to = to[(r.Offset - from)..];
            from = r.Offset;
            to = to[Leb128.WriteSigned(to, value)..];
        }
        code[from..].CopyTo(to);
    }

    // No locals, i32.const 0, end: a function of the usual type that is never called.
    private static ReadOnlySpan<byte> EmptyBody => [0, Opcode.I32Const, 0, Opcode.End];

    private bool TryGetValue(RelocList relocs, int i, out long value)
    {
        SymbolId target = relocs.Target(i);
        switch (relocs.Kind(i))
        {
            case RelocKind.Addr:
                value = _symbols.Value(target) + relocs[i].Addend;
                return true;
            case RelocKind.Call:
                value = IndexOf(target);
                return true;
            case RelocKind.WasmImport:
                value = _importOf.GetValueOrDefault(target);
                return true;
            default:
                value = 0;
                return false;
        }
    }

    /// <summary>Cuts the functions into blocks; returns the length of all.</summary>
    private long Cut(uint[] sizes, bool withIndex, List<Block> blocks)
    {
        long at = 0;
        long start = 0;
        int first = 0;
        for (int i = 0; i < sizes.Length; i++)
        {
            long length = Leb128.SizeOf(sizes[i]) + (long)sizes[i] + (withIndex ? Leb128.SizeOf((ulong)(Imports.Count + i)) : 0);
            if (at > start && at + length - start > BlockSize)
            {
                blocks.Add(new Block(first, i, start, at - start));
                first = i;
                start = at;
            }
            at += length;
        }
        blocks.Add(new Block(first, sizes.Length, start, at - start));
        return at;
    }

    private delegate int FunctionWriter(int index, Span<byte> to);

    private void WriteBlocks(List<Block> blocks, long at, FunctionWriter write) => _ctx.Workers.For(blocks.Count, b =>
    {
        Block block = blocks[b];
        if (block.Length <= OutputFile.MaxLease)
        {
            using OutputLease lease = _ctx.Output.Lease(at + block.Start, (int)block.Length);
            Fill(block, lease.Span, write);
            return;
        }
        // A single function of that length.
        using NativeArray<byte> buffer = new(block.Length);
        Fill(block, buffer.AsSpan(), write);
        _ctx.Output.Write(at + block.Start, buffer.AsSpan());
    });

    private static void Fill(in Block block, Span<byte> to, FunctionWriter write)
    {
        for (int i = block.First; i < block.End; i++)
        {
            to = to[write(i, to)..];
        }
    }

    /// <summary>A function of the host.</summary>
    /// <param name="Module">Its module; empty for the one that Go's own support file provides.</param>
    /// <param name="Name">Its name there.</param>
    /// <param name="Type">Its type.</param>
    internal sealed record Import(byte[] Module, byte[] Name, int Type);

    private readonly record struct Block(int First, int End, long Start, long Length);
}
