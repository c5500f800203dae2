namespace AotLinker;

/// <summary>An error in the input or the environment that ends the link with one message and exit code 2.</summary>
internal class LinkException : Exception
{
    /// <summary>An error with the text users see after "link: ".</summary>
    public LinkException(string message)
        : base(message)
    {
    }

    /// <summary>An error with its cause.</summary>
    public LinkException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
