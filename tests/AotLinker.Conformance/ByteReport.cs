using System.Text;

namespace AotLinker.Conformance;

/// <summary>Says where two executables differ, in the terms of someone who has to find out why.</summary>
internal static class ByteReport
{
    private const int SectionsShown = 40;

    /// <summary>Compares two files. Returns an empty text when they hold the same bytes.</summary>
    public static string Compare(string expectedPath, string actualPath) =>
        Compare(File.ReadAllBytes(expectedPath), File.ReadAllBytes(actualPath));

    /// <inheritdoc cref="Compare(string, string)"/>
    public static string Compare(byte[] expected, byte[] actual)
    {
        if (expected.AsSpan().SequenceEqual(actual))
        {
            return "";
        }

        StringBuilder text = new();
        int first = expected.AsSpan().CommonPrefixLength(actual);
        text.Append(Invariant($"{actual.Length} bytes, expected {expected.Length}; {CountDifferent(expected, actual)} differ; first at offset 0x{first:x}"));
        ElfFile? want = ElfFile.TryRead(expected);
        ElfFile? got = ElfFile.TryRead(actual);
        if (want is null || got is null)
        {
            text.Append(Around(expected, actual, first)).Append('\n');
            text.Append(want is null ? "expected" : "actual").Append(" is not a readable ELF file\n");
            return text.ToString();
        }

        ElfSection? section = want.SectionAt(first);
        text.Append(section is null ? " (headers)" : $" ({Place(want, section, (long)((ulong)first - section.Offset))})");
        text.Append(Around(expected, actual, first)).Append('\n');
        CompareSections(text, want, got);
        CompareSymbols(text, want, got);
        return text.ToString();
    }

    private static void CompareSections(StringBuilder text, ElfFile want, ElfFile got)
    {
        string[] wantNames = [.. want.Sections.Select(section => section.Name)];
        string[] gotNames = [.. got.Sections.Select(section => section.Name)];
        if (!wantNames.SequenceEqual(gotNames))
        {
            text.Append(Invariant($"sections     {string.Join(' ', gotNames)}\n    expected {string.Join(' ', wantNames)}\n"));
        }

        int shown = 0;
        foreach (ElfSection section in want.Sections.Skip(1))
        {
            ElfSection? other = got.Sections.FirstOrDefault(candidate => candidate.Name == section.Name);
            if (other is null || shown >= SectionsShown)
            {
                continue;
            }

            string line = CompareSection(want, section, got, other);
            if (line.Length > 0)
            {
                text.Append(line);
                shown++;
            }
        }
    }

    private static string CompareSection(ElfFile want, ElfSection section, ElfFile got, ElfSection other)
    {
        StringBuilder line = new();
        if (section != other)
        {
            line.Append("   ").Append(Differences(section, other));
        }

        ReadOnlySpan<byte> left = want.Content(section);
        ReadOnlySpan<byte> right = got.Content(other);
        if (!left.SequenceEqual(right))
        {
            int at = left.CommonPrefixLength(right);
            line.Append(Invariant($"   {CountDifferent(left, right)} of {left.Length} bytes, first at {Place(want, section, at)}{Around(left, right, at)}"));
            if ((section.Flags & 0x800) != 0)
            {
                line.Append(CompareUncompressed(want, section, got, other));
            }
            else if (section.Name is ".gopclntab" or ".data.rel.ro.gopclntab")
            {
                line.Append(PclntabPart(want, left, at));
            }
        }

        return line.Length == 0 ? "" : $"  {section.Name,-20}{line}\n";
    }

    private static string CompareUncompressed(ElfFile want, ElfSection section, ElfFile got, ElfSection other)
    {
        byte[] left = want.Uncompressed(section);
        byte[] right;
        try
        {
            right = got.Uncompressed(other);
        }
        catch (InvalidDataException failure)
        {
            return $"; does not decompress: {failure.Message}";
        }

        if (left.AsSpan().SequenceEqual(right))
        {
            return $"; same {left.Length} bytes when decompressed";
        }

        int at = left.AsSpan().CommonPrefixLength(right);
        return Invariant($"; decompressed: {CountDifferent(left, right)} of {left.Length} bytes (ours {right.Length}), first at +0x{at:x}{Around(left, right, at)}");
    }

    private static void CompareSymbols(StringBuilder text, ElfFile want, ElfFile got)
    {
        int count = Math.Min(want.Symbols.Count, got.Symbols.Count);
        int index = 0;
        while (index < count && want.Symbols[index] == got.Symbols[index])
        {
            index++;
        }

        if (index == want.Symbols.Count && index == got.Symbols.Count)
        {
            return;
        }

        text.Append(Invariant($"symbol table: {got.Symbols.Count} entries, expected {want.Symbols.Count}; first different entry {index}\n"));
        text.Append(Invariant($"    got      {(index < got.Symbols.Count ? got.Symbols[index].ToString() : "none")}\n"));
        text.Append(Invariant($"    expected {(index < want.Symbols.Count ? want.Symbols[index].ToString() : "none")}\n"));
        HashSet<string> wantNames = [.. want.Symbols.Select(symbol => symbol.Name)];
        HashSet<string> gotNames = [.. got.Symbols.Select(symbol => symbol.Name)];
        Sample(text, "missing", wantNames.Except(gotNames));
        Sample(text, "too many", gotNames.Except(wantNames));

        static void Sample(StringBuilder text, string title, IEnumerable<string> names)
        {
            string[] all = [.. names.Order(StringComparer.Ordinal)];
            if (all.Length > 0)
            {
                text.Append(Invariant($"    {title}: {all.Length}: {string.Join(' ', all.Take(8))}\n"));
            }
        }
    }

    private static string Differences(ElfSection want, ElfSection got)
    {
        StringBuilder text = new();
        Add("type", want.Type, got.Type);
        Add("flags", want.Flags, got.Flags);
        Add("addr", want.Address, got.Address);
        Add("off", want.Offset, got.Offset);
        Add("size", want.Size, got.Size);
        Add("link", want.Link, got.Link);
        Add("info", want.Info, got.Info);
        Add("align", want.Alignment, got.Alignment);
        Add("entsize", want.EntrySize, got.EntrySize);
        return text.ToString();

        void Add(string name, ulong expected, ulong actual)
        {
            if (expected != actual)
            {
                text.Append(Invariant($"{name} 0x{actual:x} (expected 0x{expected:x}) "));
            }
        }
    }

    /// <summary>Which table of a pclntab holds an offset; the header's last five words are the tables' offsets (Go 1.20 on).</summary>
    private static string PclntabPart(ElfFile file, ReadOnlySpan<byte> content, int at)
    {
        int word = file.WordSize;
        int tables = 8 + 3 * word;
        if (content.Length < tables + 5 * word || file.U32(content) is not (0xfffffff0 or 0xfffffff1))
        {
            return "";
        }

        string[] names = ["funcname", "cu", "file", "pc", "func"];
        string best = "header";
        ulong start = 0;
        for (int index = 0; index < names.Length; index++)
        {
            ulong offset = file.Word(content[(tables + index * word)..]);
            if (offset <= (ulong)at && offset >= start)
            {
                best = names[index] + "tab";
                start = offset;
            }
        }

        return Invariant($"; in {best}+0x{(ulong)at - start:x}");
    }

    private static string Place(ElfFile file, ElfSection section, long offset)
    {
        string symbol = section.Address == 0 ? "" : file.SymbolAt(section.Address + (ulong)offset);
        string address = section.Address == 0 ? "" : Invariant($" = 0x{section.Address + (ulong)offset:x}");
        return Invariant($"{section.Name}+0x{offset:x}{address}{(symbol.Length == 0 ? "" : ", ")}{symbol}");
    }

    private static string Around(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual, int at)
    {
        return $": {Bytes(actual)}, expected {Bytes(expected)}".Replace(": ,", ": end,", StringComparison.Ordinal);

        string Bytes(ReadOnlySpan<byte> data) =>
            at >= data.Length ? "end" : Convert.ToHexStringLower(data.Slice(at, Math.Min(8, data.Length - at)));
    }

    private static long CountDifferent(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        int common = Math.Min(left.Length, right.Length);
        long count = Math.Max(left.Length, right.Length) - common;
        for (int index = 0; index < common; index++)
        {
            if (left[index] != right[index])
            {
                count++;
            }
        }

        return count;
    }

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
