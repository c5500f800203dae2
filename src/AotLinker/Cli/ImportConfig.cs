using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using AotLinker.Mapping;

namespace AotLinker.Cli;

/// <summary>
/// The file that <c>-importcfg</c> names: which archive holds each package. Read in place: the file stays mapped under
/// a hash table of offsets into it; nothing is a string (Link.readImportCfg).
/// </summary>
internal sealed class ImportConfig
{
    // Exactly one of the two is set: the file in the mapping, or bytes given.
    private readonly InputFile? _file;
    private readonly byte[]? _bytes;
    private readonly List<Entry> _packages = [];
    private readonly List<Entry> _sharedLibraries = [];
    private readonly List<byte[]> _moduleInfo = [];
    private int[] _slots = [];

    private ImportConfig(InputFile? file, byte[]? bytes)
    {
        _file = file;
        _bytes = bytes;
    }

    // Offsets and lengths in the file.
    private readonly record struct Entry(int Name, int NameLength, int File, int FileLength);

    /// <summary>The number of <c>packagefile</c> lines.</summary>
    public int PackageCount => _packages.Count;

    /// <summary>Whether there are <c>packageshlib</c> lines, which only <c>-linkshared</c> heeds.</summary>
    public bool HasSharedLibraries => _sharedLibraries.Count > 0;

    /// <summary>The values of <c>modinfo</c> lines, unquoted, in order: each sets <c>runtime.modinfo</c>.</summary>
    public IReadOnlyList<byte[]> ModuleInfo => _moduleInfo;

    private ReadOnlySpan<byte> Content => _file is null ? _bytes : _file.AllBytes();

    /// <summary>The import path on the i-th <c>packagefile</c> line.</summary>
    public ReadOnlySpan<byte> PackagePath(int i) => Content.Slice(_packages[i].Name, _packages[i].NameLength);

    /// <summary>The archive on the i-th <c>packagefile</c> line.</summary>
    public ReadOnlySpan<byte> PackageFile(int i) => Content.Slice(_packages[i].File, _packages[i].FileLength);

    /// <summary>Reads a file.</summary>
    /// <exception cref="LinkException">It can't be read, or a line is malformed.</exception>
    public static ImportConfig Read(string file)
    {
        if (!InputStore.Shared.TryOpen(file, out InputFile? content, out string? error))
            throw new LinkException(MessageForm.Log, "-importcfg: " + error);
        return Parse(new ImportConfig(content, null), file);
    }

    /// <summary>Parses a file's content, which is kept.</summary>
    /// <param name="content">The content.</param>
    /// <param name="file">The file's name, for messages.</param>
    /// <exception cref="LinkException">A line is malformed.</exception>
    public static ImportConfig Parse(byte[] content, string file) => Parse(new ImportConfig(null, content), file);

    private static ImportConfig Parse(ImportConfig config, string file)
    {
        ReadOnlySpan<byte> content = config.Content;
        int number = 0;
        foreach (Range range in content.Split((byte)'\n'))
        {
            number++;
            (int start, int length) = range.GetOffsetAndLength(content.Length);
            Trim(content, ref start, ref length);
            if (length == 0 || content[start] == '#')
                continue;
            config.ParseLine(start, length, file, number);
        }

        config.BuildTable();
        return config;
    }

    /// <summary>The <c>packagefile</c> line of a package, of several the last; negative if there is none. Any thread may ask.</summary>
    public int Find(ReadOnlySpan<byte> importPath)
    {
        if (_slots.Length == 0)
            return -1;
        int mask = _slots.Length - 1;
        int slot = (int)Hash(importPath) & mask;
        while (_slots[slot] != 0 && !importPath.SequenceEqual(PackagePath(_slots[slot] - 1)))
            slot = (slot + 1) & mask;
        return _slots[slot] - 1;
    }

    /// <summary>The shared library on the <c>packageshlib</c> line of a package, of several the last; null if there is none.</summary>
    public string? FindSharedLibrary(ReadOnlySpan<byte> importPath)
    {
        for (int i = _sharedLibraries.Count - 1; i >= 0; i--)
        {
            Entry entry = _sharedLibraries[i];
            if (importPath.SequenceEqual(Content.Slice(entry.Name, entry.NameLength)))
                return HostPath.Decode(Content.Slice(entry.File, entry.FileLength));
        }
        return null;
    }

    private static uint Hash(ReadOnlySpan<byte> text)
    {
        // FNV-1a over 8 bytes at a time: import paths share long beginnings, so every byte must count.
        ulong hash = 14695981039346656037;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(text);
        foreach (ulong word in words)
            hash = (hash ^ word) * 1099511628211;
        foreach (byte b in text[(words.Length * 8)..])
            hash = (hash ^ b) * 1099511628211;
        return (uint)(hash ^ (hash >> 32));
    }

    private static void Trim(ReadOnlySpan<byte> content, ref int start, ref int length)
    {
        while (length > 0)
        {
            Rune.DecodeFromUtf8(content.Slice(start, length), out Rune rune, out int used);
            if (!Rune.IsWhiteSpace(rune))
                break;
            start += used;
            length -= used;
        }

        while (length > 0)
        {
            Rune.DecodeLastFromUtf8(content.Slice(start, length), out Rune rune, out int used);
            if (!Rune.IsWhiteSpace(rune))
                break;
            length -= used;
        }
    }

    private void ParseLine(int start, int length, string file, int number)
    {
        ReadOnlySpan<byte> content = Content;
        ReadOnlySpan<byte> line = content.Slice(start, length);
        int space = line.IndexOf((byte)' ');
        ReadOnlySpan<byte> verb = space < 0 ? line : line[..space];
        int argument = space < 0 ? start + length : start + space + 1;
        int argumentLength = start + length - argument;
        Trim(content, ref argument, ref argumentLength);
        ReadOnlySpan<byte> arguments = content.Slice(argument, argumentLength);

        bool isPackage = verb.SequenceEqual("packagefile"u8);
        if (isPackage || verb.SequenceEqual("packageshlib"u8))
        {
            int equals = arguments.IndexOf((byte)'=');
            if (equals <= 0 || equals == arguments.Length - 1)
            {
                string name = isPackage ? "packagefile" : "packageshlib";
                throw Malformed(file, number, $"invalid {name}: syntax is \"{name} path=filename\"");
            }

            (isPackage ? _packages : _sharedLibraries).Add(
                new Entry(argument, equals, argument + equals + 1, argumentLength - equals - 1));
        }
        else if (verb.SequenceEqual("modinfo"u8))
        {
            _moduleInfo.Add(GoText.Unquote(arguments) ?? throw Malformed(file, number, "invalid modinfo: invalid syntax"));
        }
        else
        {
            throw Malformed(file, number, $"unknown directive {GoText.Quote(HostPath.Decode(verb))}");
        }
    }

    private static LinkException Malformed(string file, int line, string text) =>
        new(MessageForm.Input, string.Create(CultureInfo.InvariantCulture, $"{file}:{line}: {text}"));

    private void BuildTable()
    {
        if (_packages.Count == 0)
            return;
        _slots = new int[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)_packages.Count * 2)];
        int mask = _slots.Length - 1;
        for (int i = 0; i < _packages.Count; i++)
        {
            int slot = (int)Hash(PackagePath(i)) & mask;
            while (_slots[slot] != 0 && !PackagePath(i).SequenceEqual(PackagePath(_slots[slot] - 1)))
                slot = (slot + 1) & mask;
            _slots[slot] = i + 1;
        }
    }
}
