using System.Text;
using AotLinker.Load;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>
/// Makes the header of a unit's line table: the parameters of the line programs, directories and files (ld.writelines,
/// writeDirFileTables). One instance serves one thread.
/// </summary>
internal sealed class LineHeader(LinkContext ctx)
{
    // Parameters that the compiler relies on when it writes line programs.
    private const int LineBase = -4;
    private const int LineRange = 10;
    private const int OpcodeBase = 11;

    // DW_LNCT_* and DW_FORM_* of the standard.
    private const int Path = 1;
    private const int DirectoryIndex = 2;
    private const int FormString = 8;
    private const int FormUData = 15;

    private readonly bool _isDwarf5 = DebugInfo.IsDwarf5(ctx);
    private readonly Dictionary<string, int> _directories = new(StringComparer.Ordinal);
    private readonly List<string> _directoryNames = [];
    private readonly List<(string Name, int Directory)> _files = [];

    /// <summary>The header; its first field, the length of the unit, is left 0.</summary>
    /// <param name="unit">The unit.</param>
    /// <param name="script">File name of the runtime's script for gdb, if this is the unit that knows it.</param>
    public byte[] Make(CompilationUnit unit, out string? script)
    {
        script = CollectFiles(unit);
        DieSize size = new(ctx.Target.PointerSize);
        Write(ref size);
        byte[] header = new byte[size.Length];
        DieWriter w = new(header, ctx.Target.PointerSize, ctx.Target.IsBigEndian);
        Write(ref w);
        return header;
    }

    private string? CollectFiles(CompilationUnit unit)
    {
        _directories.Clear();
        _directoryNames.Clear();
        _files.Clear();
        _directories.Add(".", 0);
        _directoryNames.Add(".");
        if (_isDwarf5)
        {
            // Entry 0 is never referred to. An empty name crashes some versions of GDB.
            _files.Add(("?", 0));
        }
        string? script = null;
        for (int i = 0; i < unit.FileCount; i++)
        {
            string name = SourcePath.Expand(RawText.Decode(unit.FileName(i)), ctx.Options.Environment.GoRoot);
            if (name.Length == 0)
            {
                name = $"<missing>_{i}";
            }
            string directory = SourcePath.Directory(name);
            if (!_directories.TryGetValue(directory, out int index))
            {
                index = _directories.Count;
                _directories.Add(directory, index);
                _directoryNames.Add(directory);
            }
            _files.Add((SourcePath.Base(name), index));
            if (script is null && unit.Package.Path == "runtime")
            {
                // A file that every program has, and that lies beside the script.
                int at = name.IndexOf("runtime/proc.go", StringComparison.Ordinal);
                script = at >= 0 ? name[..at] + "runtime/runtime-gdb.py" : null;
            }
        }
        return script;
    }

    private void Write<TSink>(ref TSink w)
        where TSink : IDieSink, allows ref struct
    {
        bool dwarf5 = _isDwarf5;
        w.UInt32(0);
        w.UInt16((ushort)(dwarf5 ? 5 : 2));
        if (dwarf5)
        {
            w.Byte(ctx.Target.PointerSize);
            w.Byte(0);
        }
        int lengthAt = w.Length;
        w.UInt32(0);
        // Minimum instruction length; maximum operations per instruction.
        w.Byte(1);
        if (dwarf5)
        {
            w.Byte(1);
        }
        // A line begins a statement by default.
        w.Byte(1);
        w.Byte(LineBase);
        w.Byte(LineRange);
        w.Byte(OpcodeBase);
        // Number of operands of each standard opcode.
        w.Bytes([0, 1, 1, 1, 1, 0, 0, 0, 1, 0]);
        if (dwarf5)
        {
            WriteTables5(ref w);
        }
        else
        {
            WriteTables4(ref w);
        }
        w.SetUInt32(lengthAt, (uint)(w.Length - lengthAt - 4));
    }

    private void WriteTables5<TSink>(ref TSink w)
        where TSink : IDieSink, allows ref struct
    {
        // How a directory is written, then the directories; the same for files.
        w.Byte(1);
        w.Unsigned(Path);
        w.Unsigned(FormString);
        w.Unsigned((ulong)_directoryNames.Count);
        foreach (string directory in _directoryNames)
        {
            WriteString(ref w, directory);
        }
        w.Byte(2);
        w.Unsigned(Path);
        w.Unsigned(FormString);
        w.Unsigned(DirectoryIndex);
        w.Unsigned(FormUData);
        w.Unsigned((ulong)_files.Count);
        foreach ((string name, int directory) in _files)
        {
            WriteString(ref w, name);
            w.Unsigned((ulong)directory);
        }
    }

    private void WriteTables4<TSink>(ref TSink w)
        where TSink : IDieSink, allows ref struct
    {
        // Directory 0 needs no entry.
        for (int i = 1; i < _directoryNames.Count; i++)
        {
            WriteString(ref w, _directoryNames[i]);
        }
        w.Byte(0);
        foreach ((string name, int directory) in _files)
        {
            WriteString(ref w, name);
            w.Unsigned((ulong)directory);
            // Modification time and length are not known.
            w.Byte(0);
            w.Byte(0);
        }
        w.Byte(0);
    }

    private static void WriteString<TSink>(ref TSink w, string text)
        where TSink : IDieSink, allows ref struct
    {
        w.Bytes(RawText.Encode(text));
        w.Byte(0);
    }
}
