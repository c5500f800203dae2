using System.Diagnostics.CodeAnalysis;
using AotLinker.Cli;
using AotLinker.Mapping;

namespace AotLinker;

/// <summary>
/// Everything the linker says to its user: errors, warnings and the <c>-v</c> log.
/// <para>
/// Errors have cmd/link's text and count. Serial code uses <see cref="Error(string)"/>, which prints at once. Parallel
/// code uses <see cref="Report"/>, which only collects; when the pass is over its coordinator calls
/// <see cref="Flush"/>, which prints in the order of the given keys. So the output is the same for any number of
/// threads. After <see cref="MaxErrors"/> errors the link ends with "too many errors", unless <c>-e</c> lifts the limit.
/// </para>
/// <para>All members are safe for concurrent use; only one thread may call <see cref="Flush"/>.</para>
/// </summary>
internal sealed class Diagnostics
{
    /// <summary>cmd/link stops after the error that exceeds this count (ld.afterErrorAction).</summary>
    public const int MaxErrors = 20;

    private const int DumpBlock = 64 << 10;

    private readonly Lock _lock = new();
    private readonly Stream _error;
    private readonly Stream _output;
    private readonly List<Pending> _pending = [];
    private HashSet<(int From, int To)>? _seenPairs;
    private readonly List<Action> _atExit = [];
    private byte[] _dump = [];
    private int _held;
    private bool _allErrors;
    private bool _haltOnError;
    private long _lastOrder = long.MaxValue;

    /// <summary>Reports to the process's standard streams.</summary>
    /// <param name="programName">The name in front of final messages, as in argv[0].</param>
    public Diagnostics(string programName)
        : this(programName, StandardStream.OpenError(), StandardStream.OpenOutput())
    {
    }

    /// <summary>Reports to the given streams, which are not closed.</summary>
    public Diagnostics(string programName, Stream error, Stream output)
    {
        ProgramName = programName;
        _error = error;
        _output = output;
    }

    private readonly record struct Pending(long Order, string Text);

    /// <summary>The name in front of final messages, as in argv[0].</summary>
    public string ProgramName { get; }

    /// <summary>The number of <c>-v</c> flags; 0 is silent.</summary>
    public int Verbosity { get; private set; }

    /// <summary>The number of errors printed so far.</summary>
    public int ErrorCount { get; private set; }

    /// <summary>Whether an error has been printed or collected.</summary>
    public bool HasErrors
    {
        get
        {
            lock (_lock)
            {
                return ErrorCount > 0 || _pending.Count > 0;
            }
        }
    }

    /// <summary>
    /// The order of the error that the link will end with; <see cref="long.MaxValue"/> as long as there are too few. Errors behind it are not
    /// printed, so whoever works through a large program need not look for them.
    /// </summary>
    public long LastOrder => Volatile.Read(ref _lastOrder);

    /// <summary>Takes the settings that the command line makes: <c>-e</c>, <c>-h</c> and <c>-v</c>.</summary>
    public void Configure(LinkOptions options)
    {
        _allErrors = options.AllErrors;
        _haltOnError = options.HaltOnError;
        Verbosity = options.Verbosity;
    }

    /// <summary>
    /// Prints an error that stands alone (ld.Errorf); the link goes on, but will fail. Not for parallel code: the order
    /// of calls is the order of lines.
    /// </summary>
    /// <exception cref="LinkException">That was one error too many, or <c>-h</c> is given.</exception>
    public void Error(string text)
    {
        lock (_lock)
        {
            FlushLocked();
            Print(text);
        }
    }

    /// <summary>Prints an error about a symbol, as <c>NAME: text</c> (loader.ErrorReporter.Errorf). Serial, like <see cref="Error(string)"/>.</summary>
    /// <param name="symbolName">The symbol's name; where it has none, cmd/link names it <c>sym N</c>.</param>
    /// <param name="text">The message.</param>
    public void Error(ReadOnlySpan<byte> symbolName, string text) => Error(HostPath.Decode(symbolName) + ": " + text);

    /// <summary>Collects an error from parallel code, to be printed by <see cref="Flush"/>.</summary>
    /// <param name="order">The error's place: lines are printed by ascending order, then text. A symbol's position in
    /// the pass's walk in the upper half and a relocation index in the lower is a good key.</param>
    /// <param name="text">The whole line, without its end.</param>
    public void Report(long order, string text)
    {
        lock (_lock)
        {
            Collect(order, text);
        }
    }

    /// <summary>
    /// As <see cref="Report"/>, once for each pair of symbols (ld.ErrorReporter.errorUnresolved): where the pair has
    /// been seen, nothing is added. Of several reports the lowest order must come first or be the only one per
    /// <paramref name="from"/>, which holds when one worker has all relocations of a symbol.
    /// </summary>
    public void ReportOnce(int from, int to, long order, string text)
    {
        lock (_lock)
        {
            _seenPairs ??= [];
            if (_seenPairs.Add((from, to)))
                Collect(order, text);
        }
    }

    /// <summary>Prints what <see cref="Report"/> collected, in order. Called at the end of a parallel pass.</summary>
    /// <exception cref="LinkException">There were too many errors, or <c>-h</c> is given.</exception>
    public void Flush()
    {
        lock (_lock)
        {
            FlushLocked();
        }
    }

    /// <summary>Ends the link if any error has been reported (ld.exitIfErrors).</summary>
    /// <exception cref="ErrorsReportedException">There were errors.</exception>
    public void ExitIfErrors()
    {
        Flush();
        if (ErrorCount > 0)
            throw new ErrorsReportedException();
    }

    /// <summary>Ends the link with <c>ARGV0: text</c> and exit code 2 (ld.Exitf).</summary>
    [DoesNotReturn]
    public static void Exit(string text) => throw new LinkException(MessageForm.Program, text);

    /// <summary>Ends the link with <c>link: text</c> and exit code 1 (log.Fatalf).</summary>
    [DoesNotReturn]
    public static void Fatal(string text) => throw new LinkException(MessageForm.Log, text);

    /// <summary>Prints a line to standard error that doesn't make the link fail.</summary>
    public void Warn(string text)
    {
        lock (_lock)
        {
            FlushDump();
            WriteLine(_error, text);
        }
    }

    /// <summary>Writes a line of the link trace to standard output (Link.Logf); callers check <see cref="Verbosity"/> first.</summary>
    public void Log(string text)
    {
        lock (_lock)
        {
            FlushDump();
            WriteLine(_output, text);
        }
    }

    /// <summary>
    /// Writes a line of a dump that a flag asks for to standard output. Held back until there is a block of them, for
    /// dumps have a line for each symbol; anything else that is said comes after them, as do hand-over and the end.
    /// </summary>
    public void Dump(string text)
    {
        lock (_lock)
        {
            int most = (text.Length + 1) * 3;
            if (_held + most > _dump.Length)
            {
                FlushDump();
                if (most > _dump.Length)
                    _dump = new byte[Math.Max(most, DumpBlock)];
            }

            _held += HostPath.Encode(text, _dump.AsSpan(_held));
            _dump[_held++] = (byte)'\n';
        }
    }

    /// <summary>Writes bytes to standard output.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            FlushDump();
            _output.Write(bytes);
            _output.Flush();
        }
    }

    /// <summary>Writes bytes to standard error.</summary>
    public void WriteToError(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            FlushDump();
            _error.Write(bytes);
            _error.Flush();
        }
    }

    /// <summary>
    /// Registers clean-up that runs, last registered first, when the link ends early or is handed over (ld.AtExit).
    /// Returns a token that takes it off again.
    /// </summary>
    public IDisposable AtExit(Action cleanUp)
    {
        lock (_lock)
        {
            _atExit.Add(cleanUp);
        }

        return new Registration(this, cleanUp);
    }

    /// <summary>Runs the clean-up actions. A failing one doesn't keep the others from running.</summary>
    public void RunAtExit()
    {
        lock (_lock)
        {
            FlushDump();
        }

        while (true)
        {
            Action action;
            lock (_lock)
            {
                if (_atExit.Count == 0)
                    return;
                action = _atExit[^1];
                _atExit.RemoveAt(_atExit.Count - 1);
            }

            try
            {
                action();
            }
            catch (IOException)
            {
                // The file that should go may be gone already; there is nothing left to tell but the first error.
            }
            catch (UnauthorizedAccessException)
            {
                // As above.
            }
        }
    }

    /// <summary>Prints a failure in its form, after what was collected before it, and returns the exit code.</summary>
    public int PrintFinal(LinkException failure)
    {
        lock (_lock)
        {
            FlushDump();
            try
            {
                FlushLocked();
            }
            catch (LinkException instead)
            {
                failure = instead;
            }

            switch (failure.Form)
            {
                case MessageForm.Program:
                    WriteLine(_error, ProgramName + ": " + failure.Message);
                    break;
                case MessageForm.Log or MessageForm.Input:
                    WriteLine(_error, "link: " + failure.Message);
                    break;
                default:
                    if (failure.Message.Length > 0)
                        WriteLine(_error, failure.Message);
                    break;
            }

            ErrorCount++;
            if (_haltOnError && failure is not ErrorsReportedException && failure.Form != MessageForm.Log)
                WriteLine(_error, "panic: error\n\n" + (failure.StackTrace ?? ""));
            return failure.ExitCode;
        }
    }

    private static void WriteLine(Stream stream, string text)
    {
        // One write for each line, so that lines of concurrent processes on one terminal don't interleave.
        stream.Write(HostPath.Encode(text + "\n"));
        stream.Flush();
    }

    // Keeps only as many as will be printed, so that a broken program with a million bad relocations costs no memory.
    private void Collect(long order, string text)
    {
        if (order > _lastOrder)
            return;
        _pending.Add(new Pending(order, text));
        if (_allErrors && !_haltOnError)
            return;
        int most = _haltOnError ? 1 : MaxErrors + 1 - ErrorCount;
        if (_pending.Count < most)
            return;
        SortPending();
        if (_pending.Count < most)
            return;
        _pending.RemoveRange(most, _pending.Count - most);
        Volatile.Write(ref _lastOrder, _pending[^1].Order);
    }

    private void FlushLocked()
    {
        if (_pending.Count == 0)
            return;
        SortPending();
        Pending[] errors = [.. _pending];
        _pending.Clear();
        foreach (Pending error in errors)
            Print(error.Text);
    }

    private void SortPending()
    {
        _pending.Sort(static (a, b) =>
        {
            int byOrder = a.Order.CompareTo(b.Order);
            return byOrder != 0 ? byOrder : string.CompareOrdinal(a.Text, b.Text);
        });
        // The same line at the same place is one error that two workers saw.
        int count = 0;
        for (int i = 0; i < _pending.Count; i++)
        {
            if (i == 0 || _pending[i] != _pending[count - 1])
                _pending[count++] = _pending[i];
        }
        _pending.RemoveRange(count, _pending.Count - count);
    }

    private void FlushDump()
    {
        if (_held == 0)
            return;
        _output.Write(_dump.AsSpan(0, _held));
        _output.Flush();
        _held = 0;
    }

    private void Print(string text)
    {
        FlushDump();
        WriteLine(_error, text);
        ErrorCount++;
        if (_haltOnError)
            throw new LinkException(MessageForm.Bare, "");
        if (ErrorCount > MaxErrors && !_allErrors)
            throw new LinkException("too many errors");
    }

    private sealed class Registration(Diagnostics owner, Action action) : IDisposable
    {
        public void Dispose()
        {
            lock (owner._lock)
            {
                owner._atExit.Remove(action);
            }
        }
    }
}
