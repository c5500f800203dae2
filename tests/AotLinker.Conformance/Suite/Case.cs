namespace AotLinker.Conformance.Suite;

/// <summary>Which runs a case belongs to.</summary>
internal enum Tier
{
    /// <summary>Every test run, CI included.</summary>
    Ci,

    /// <summary>The full conformance run only.</summary>
    All,
}

/// <summary>One thing that is shown or not: it passes unless the body throws.</summary>
/// <param name="Group">Row of the result table.</param>
/// <param name="Name">Unique within group and release.</param>
/// <param name="Release">Column of the result table.</param>
internal sealed record Case(string Group, string Name, string Release, Tier Tier, Action Body)
{
    public override string ToString() => $"{Release} {Group}: {Name}";
}

/// <summary>The reason why a case failed.</summary>
internal sealed class CaseFailedException(string reason) : Exception(reason);

/// <summary>Checks that read as sentences.</summary>
internal static class Check
{
    public static void That(bool condition, string otherwise)
    {
        if (!condition)
        {
            throw new CaseFailedException(otherwise);
        }
    }

    /// <summary>Texts are equal, else the first different line is shown.</summary>
    public static void SameText(string what, string expected, string actual)
    {
        if (expected == actual)
        {
            return;
        }

        string[] want = expected.Split('\n');
        string[] got = actual.Split('\n');
        int line = 0;
        while (line < want.Length && line < got.Length && want[line] == got[line])
        {
            line++;
        }

        throw new CaseFailedException(
            $"{what} differs in line {line + 1} (of {got.Length}, expected {want.Length})\n" +
            $"    got      {(line < got.Length ? Shorten(got[line]) : "nothing")}\n" +
            $"    expected {(line < want.Length ? Shorten(want[line]) : "nothing")}");
    }

    private static string Shorten(string text) => text.Length <= 400 ? text : text[..400] + "…";
}
