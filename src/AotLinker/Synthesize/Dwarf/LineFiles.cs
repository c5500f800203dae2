using AotLinker.Load;
using AotLinker.Objects;

namespace AotLinker.Synthesize.Dwarf;

/// <summary>
/// The header of a unit's line table: the parameters of the line programs, directories and files (ld.writelines). It is written when
/// the section is: names are in the objects, and directories are shared by all units.
/// </summary>
internal sealed class LineFiles
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

    private readonly CompilationUnit _unit;
    private readonly byte[][] _directories;
    private readonly NativeSpan<LineFile> _files;

    /// <summary>The header of a unit with these directories, the first of which is the unit's own, and files.</summary>
    public LineFiles(LinkContext ctx, CompilationUnit unit, byte[][] directories, NativeSpan<LineFile> files)
    {
        _unit = unit;
        _directories = directories;
        _files = files;
        DieSize size = new(ctx.Target.PointerSize, DwarfFormat.Of(ctx.Target));
        WriteHeader(ref size, DebugInfo.IsDwarf5(ctx), ctx.Target.PointerSize);
        HeaderSize = size.Length;
    }

    /// <summary>Size of the header in bytes.</summary>
    public int HeaderSize { get; }

    /// <summary>Writes the header; its first field, the length of the unit, is left 0.</summary>
    public void WriteHeader<TSink>(ref TSink w, bool isDwarf5, int pointerSize)
        where TSink : IDieSink, allows ref struct
    {
        w.UnitLength(0);
        w.UInt16((ushort)(isDwarf5 ? 5 : 2));
        if (isDwarf5)
        {
            w.Byte(pointerSize);
            w.Byte(0);
        }
        int lengthAt = w.Length;
        w.Offset(0);
        int start = w.Length;
        // Minimum instruction length; maximum operations per instruction.
        w.Byte(1);
        if (isDwarf5)
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
        if (isDwarf5)
        {
            WriteTables5(ref w);
        }
        else
        {
            WriteTables4(ref w);
        }
        w.SetOffset(lengthAt, (ulong)(w.Length - start));
    }

    private void WriteTables5<TSink>(ref TSink w)
        where TSink : IDieSink, allows ref struct
    {
        // How a directory is written, then the directories; the same for files.
        w.Byte(1);
        w.Unsigned(Path);
        w.Unsigned(FormString);
        w.Unsigned((ulong)_directories.Length);
        WriteDirectories(ref w, 0);
        w.Byte(2);
        w.Unsigned(Path);
        w.Unsigned(FormString);
        w.Unsigned(DirectoryIndex);
        w.Unsigned(FormUData);
        w.Unsigned((ulong)_files.Length + 1);
        // Entry 0 is never referred to. An empty name crashes some versions of GDB.
        w.Bytes("?\0\0"u8);
        for (int i = 0; i < _files.Length; i++)
        {
            WriteFileName(ref w, i);
            w.Unsigned((ulong)_files[i].Directory);
        }
    }

    private void WriteTables4<TSink>(ref TSink w)
        where TSink : IDieSink, allows ref struct
    {
        // Directory 0 needs no entry.
        WriteDirectories(ref w, 1);
        w.Byte(0);
        for (int i = 0; i < _files.Length; i++)
        {
            WriteFileName(ref w, i);
            w.Unsigned((ulong)_files[i].Directory);
            // Modification time and length are not known.
            w.UInt16(0);
        }
        w.Byte(0);
    }

    private void WriteDirectories<TSink>(ref TSink w, int from)
        where TSink : IDieSink, allows ref struct
    {
        for (int i = from; i < _directories.Length; i++)
        {
            w.Bytes(_directories[i]);
            w.Byte(0);
        }
    }

    private void WriteFileName<TSink>(ref TSink w, int i)
        where TSink : IDieSink, allows ref struct
    {
        ReadOnlySpan<byte> name = SourceFileNames.WithoutPrefix(_unit.FileName(i));
        ReadOnlySpan<byte> file = name[_files[i].DirectoryLength..];
        if (name.IsEmpty)
        {
            file = System.Text.Encoding.UTF8.GetBytes($"<missing>_{i}");
        }
        else if (file.IsEmpty)
        {
            SourcePath.Split(name, out _, out file);
        }
        w.Bytes(file);
        w.Byte(0);
    }
}

/// <summary>A file of a line table.</summary>
/// <param name="Directory">Number of its directory in the unit.</param>
/// <param name="DirectoryLength">Length of the directory in the object's name of the file.</param>
internal readonly record struct LineFile(int Directory, int DirectoryLength);
