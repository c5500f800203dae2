using System.Runtime.CompilerServices;

namespace AotLinker.Synthesize.Pclntab;

/// <summary>
/// Finds who uses each of many things first, from several threads: tables list names, files and pc data in the order in which the
/// functions first mention them.
/// </summary>
/// <remarks>
/// Every thing has a slot, 0 at first. In a first loop every user notes itself; the slot keeps the lowest. In a second loop every user
/// asks for each thing whether it is its own, and if so replaces the note by a number ≥ 0, which nobody else mistakes for a note.
/// Neither loop depends on the order of users.
/// </remarks>
internal static class FirstUse
{
    /// <summary>Notes that user <paramref name="user"/> (≥ 0) uses the slot's thing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Note(ref int slot, int user)
    {
        int mark = ~user;
        int seen = Volatile.Read(ref slot);
        if (seen == 0 || seen < mark)
        {
            Replace(ref slot, mark, seen);
        }
    }

    /// <summary>Whether the user is the first of the slot's thing, and has not replaced the note yet.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsFirst(ref int slot, int user) => Volatile.Read(ref slot) == ~user;

    // A lower user has a higher mark: all marks are negative, and ~0 is the highest of them.
    private static void Replace(ref int slot, int mark, int seen)
    {
        while (seen == 0 || seen < mark)
        {
            int was = Interlocked.CompareExchange(ref slot, mark, seen);
            if (was == seen)
            {
                return;
            }
            seen = was;
        }
    }
}
