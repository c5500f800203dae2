using System.Globalization;

namespace AotLinker.Conformance.Profile;

/// <summary>One counter of a method: how often the edge of its flow graph, or the block, was taken.</summary>
/// <param name="Kind">InstrumentationKind, as the runtime and mibc files number it.</param>
/// <param name="Offset">IL offset of the block, or of the block that the edge leaves.</param>
/// <param name="Other">For an edge the IL offset where it leads to.</param>
internal readonly record struct Counter(int Kind, int Offset, int Other, long Value)
{
    public const int Block = 65;
    public const int Edge = 385;
}

/// <summary>What the counters of one method, or of one instance of a generic one, say.</summary>
/// <param name="Name">Namespace.Type+Nested.Method, without the arguments of generic types.</param>
/// <param name="Signature">In the form of <see cref="SignatureText"/>.</param>
/// <param name="Size">Length of the IL that ran.</param>
internal sealed record MethodCounters(string Name, string Signature, int Size, IReadOnlyList<Counter> Counters);

/// <summary>
/// Reads the text that CoreCLR writes for DOTNET_WritePGOData. Counters of blocks and edges are kept; which types and methods were seen at
/// calls is not.
/// </summary>
internal static class CounterFile
{
    private const string Head = "*** START PGO Data";
    private const string End = "*** END PGO Data";

    /// <exception cref="ConformanceException">The text is not of this form.</exception>
    public static List<MethodCounters> Read(string path)
    {
        using StreamReader reader = new(path);
        return Read(reader, path);
    }

    /// <summary>As above; <paramref name="name"/> is the file's in errors.</summary>
    public static List<MethodCounters> Read(TextReader text, string name)
    {
        Lines lines = new(text, name);
        if (!lines.Next().StartsWith(Head, StringComparison.Ordinal))
        {
            throw lines.Wrong($"starts without \"{Head}\"");
        }

        List<MethodCounters> methods = [];
        for (string head = lines.Next(); !head.StartsWith(End, StringComparison.Ordinal); head = lines.Next())
        {
            methods.Add(ReadMethod(lines, head));
        }

        return methods;
    }

    private static MethodCounters ReadMethod(Lines lines, string head)
    {
        // @@@ codehash 0x1 methodhash 0x2 ilSize 0x0000001F records 0x00000004
        string[] method = lines.Words(head, "@@@", 9);
        int size = lines.Hexadecimal(method[6]);
        int records = lines.Hexadecimal(method[8]);
        string name = WithoutTypeArguments(lines.After("MethodName: "));
        string signature = lines.After("Signature: ");
        List<Counter> counters = [];
        for (int record = 0; record < records; record++)
        {
            // Schema InstrumentationKind 385 ILOffset 59 Count 1 Other 0
            string[] schema = lines.Words(lines.Next(), "Schema", 9);
            int kind = lines.Number(schema[2]);
            int count = lines.Number(schema[6]);
            if (kind is Counter.Block or Counter.Edge)
            {
                counters.Add(count == 1
                    ? new Counter(kind, lines.Number(schema[4]), lines.Number(schema[8]), (uint)lines.Number(lines.Next()))
                    : throw lines.Wrong($"a counter with {count} values"));
                continue;
            }

            for (int value = 0; value < count; value++)
            {
                lines.Next();
            }
        }

        return new MethodCounters(name, signature, size, counters);
    }

    /// <summary>Generic types have their arguments in brackets: Column`1[System.Byte].Get, Outer`1+Inner[System.Int32[]].Get.</summary>
    private static string WithoutTypeArguments(string name)
    {
        int open = name.IndexOf('[', StringComparison.Ordinal);
        return open < 0 ? name : string.Concat(name.AsSpan(0, open), name.AsSpan(name.LastIndexOf(']') + 1));
    }

    /// <summary>The lines of a file, with errors that say where.</summary>
    private sealed class Lines(TextReader text, string name)
    {
        private int _number;

        public string Next()
        {
            _number++;
            return text.ReadLine() ?? throw Wrong("ends too soon");
        }

        public string After(string label) =>
            Next() is string line && line.StartsWith(label, StringComparison.Ordinal) ? line[label.Length..] : throw Wrong($"no \"{label}\" here");

        public string[] Words(string line, string first, int count) =>
            line.Split(' ') is string[] words && words.Length == count && words[0] == first ? words : throw Wrong($"no \"{first}\" with {count - 1} words behind it here");

        // The runtime writes 32 bits without a sign, flags and counts alike.
        public int Number(string word) =>
            uint.TryParse(word, CultureInfo.InvariantCulture, out uint number) ? unchecked((int)number) : throw Wrong($"{word} is no number");

        public int Hexadecimal(string word) =>
            word.StartsWith("0x", StringComparison.Ordinal) && int.TryParse(word.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int number)
                ? number
                : throw Wrong($"{word} is no hexadecimal number");

        public ConformanceException Wrong(string what) => new($"{name}:{_number}: {what}");
    }
}
