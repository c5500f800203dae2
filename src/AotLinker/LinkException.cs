namespace AotLinker;

/// <summary>How a final message is introduced on standard error, and the exit code that goes with it.</summary>
internal enum MessageForm : byte
{
    /// <summary><c>ARGV0: text</c>, exit code 2 (cmd/link ld.Exitf).</summary>
    Program,

    /// <summary><c>link: text</c>, exit code 1 (cmd/link log.Fatalf).</summary>
    Log,

    /// <summary>
    /// <c>link: text</c>, exit code 2: an error in the inputs. cmd/link has some of these from log.Fatalf, with exit code 1; ours all end
    /// with the code that build tools know for a failed link.
    /// </summary>
    Input,

    /// <summary>The text alone, exit code 2 (cmd/link ld.Errorf, and package flag).</summary>
    Bare,
}

/// <summary>
/// Ends the link with one message for the user. Thrown where the cause is known; caught once, at the top, where the
/// message is printed in its <see cref="Form"/>. Never used for defects of the linker itself: those are other exceptions.
/// </summary>
internal class LinkException : Exception
{
    /// <summary>A failure that is reported as <c>ARGV0: message</c> and exit code 2.</summary>
    public LinkException(string message)
        : this(MessageForm.Program, message)
    {
    }

    /// <summary>A failure with its cause, reported as <c>ARGV0: message</c> and exit code 2.</summary>
    public LinkException(string message, Exception? cause)
        : base(message, cause)
    {
    }

    /// <summary>A failure that is reported in the given form.</summary>
    public LinkException(MessageForm form, string message)
        : base(message) => Form = form;

    /// <summary>How the message is printed.</summary>
    public MessageForm Form { get; }

    /// <summary>The process's exit code: 1 for <see cref="MessageForm.Log"/>, else 2.</summary>
    public int ExitCode => Form == MessageForm.Log ? 1 : 2;
}

/// <summary>
/// The link needs something that we don't do (yet) but the toolchain's own linker may. As long as no output has been
/// written, the entry point may hand the command over to that linker; else it is reported like any other failure.
/// </summary>
internal sealed class UnsupportedLinkException : LinkException
{
    /// <param name="feature">What is missing, as a noun phrase that fits before "is not supported yet".</param>
    public UnsupportedLinkException(string feature)
        : base($"{feature} is not supported yet") => Feature = feature;

    /// <summary>What is missing, as a noun phrase: <c>external linking (-linkmode=external)</c>.</summary>
    public string Feature { get; }
}

/// <summary>Errors were reported one by one through <see cref="Diagnostics"/>; the link ends with nothing more to print.</summary>
internal sealed class ErrorsReportedException : LinkException
{
    /// <summary>Ends the link after errors that the user has seen already.</summary>
    public ErrorsReportedException()
        : base(MessageForm.Bare, "")
    {
    }
}
