using AotLinker.Cli;

namespace AotLinker.Accounting;

/// <summary>What AOTLINK_ACCOUNT asks for.</summary>
/// <param name="IsJson">JSON rather than text.</param>
/// <param name="File">The file it goes to; null for standard error.</param>
internal sealed record AccountRequest(bool IsJson, string? File)
{
    /// <summary>Reads the switch's value: <c>text</c> or <c>json</c>, with <c>:FILE</c> after it.</summary>
    /// <returns>Null where no account is wanted.</returns>
    /// <exception cref="LinkException">It is none of these.</exception>
    public static AccountRequest? Parse(string name, string? value)
    {
        if (value is null or "" or "0")
            return null;
        int colon = value.IndexOf(':');
        string form = colon < 0 ? value : value[..colon];
        string? file = colon < 0 ? null : value[(colon + 1)..];
        if (form is not ("text" or "json") || file is "")
            throw new LinkException($"{name} must be text or json, with :FILE after it for a file, not {GoText.Quote(value)}");
        return new AccountRequest(form == "json", file);
    }
}
