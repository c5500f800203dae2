using System.Runtime.InteropServices;

namespace AotLinker.Mapping;

/// <summary>
/// The managed half of <c>native/guard.c</c>: keeps the table of maps that the handler of bus errors looks into, so that an
/// input that shrinks while it is mapped, or a disk that fills under the output, ends the link with one line and exit code
/// 2 instead of a crash. Built into the binary where a C compiler was there; else, and on hosts that report such faults in
/// other ways, everything here does nothing and <see cref="IsActive"/> is false.
/// </summary>
internal static unsafe partial class FaultGuard
{
    /// <summary>More than the inputs that are ever mapped at once; the pages of unused entries are never touched.</summary>
    private const int Capacity = 1 << 16;

    private static readonly Lock Gate = new();
    private static Entry* _table;
    private static long* _count;
    private static int _firstFree = -1;
    private static bool _tried;

    /// <summary>What stands before the message: the program's name as in every other message of the link.</summary>
    public static string Prefix { get; set; } = "link: ";

    /// <summary>Whether bus errors in registered maps are caught.</summary>
    public static bool IsActive
    {
        get
        {
            lock (Gate)
                return Install();
        }
    }

    /// <summary>Watches a map. The slot is for <see cref="Remove"/>; -1 when nothing is watched.</summary>
    public static int AddMap(byte* start, long length, string path, bool isOutput) =>
        Add((nuint)start, (nuint)(start + length), path, remove: null, truncate: -1, isOutput);

    /// <summary>
    /// Names a partial output to take away when a watched map faults: a path to remove, or a descriptor to empty.
    /// </summary>
    public static int AddPartial(string? remove, HostFile truncate) =>
        Add(start: 1, end: 1, path: "", remove, (int)truncate.Handle, isOutput: false); // an empty range: never hit itself

    public static void Remove(int slot)
    {
        if (slot < 0)
            return;
        lock (Gate)
        {
            Entry* entry = _table + slot;
            Volatile.Write(ref entry->Start, 0);
            NativeMemory.Free(entry->Path);
            NativeMemory.Free(entry->Remove);
            entry->Path = null;
            entry->Remove = null;
            entry->NextFree = _firstFree;
            _firstFree = slot;
        }
    }

    private static int Add(nuint start, nuint end, string path, string? remove, int truncate, bool isOutput)
    {
        if (!OperatingSystem.IsLinux())
            return -1;
        lock (Gate)
        {
            if (!Install())
                return -1;
            int slot = _firstFree;
            if (slot >= 0)
                _firstFree = _table[slot].NextFree;
            else if (*_count < Capacity)
                slot = (int)*_count;
            else
                return -1;

            Entry* entry = _table + slot;
            entry->End = end;
            entry->Path = Terminated(path);
            entry->Remove = remove is null ? null : Terminated(remove);
            entry->Truncate = truncate;
            entry->IsOutput = isOutput ? 1 : 0;
            Volatile.Write(ref entry->Start, start); // last: from here on the handler sees it
            if (slot == *_count)
                Volatile.Write(ref *_count, slot + 1L);
            return slot;
        }
    }

    /// <summary>Installs the handler once. Under the lock.</summary>
    private static bool Install()
    {
        if (_tried || !OperatingSystem.IsLinux())
            return _table != null;
        _tried = true;
        long bytes = ((long)Capacity * sizeof(Entry)) + sizeof(long);
        if (HostSystem.Current.AllocatePages(bytes, out byte* pages).IsError)
            return false;
        var table = (Entry*)(pages + sizeof(long));
        try
        {
            if (aotlink_guard_install(table, (long*)pages, Terminated(Prefix)) == 0)
            {
                _count = (long*)pages;
                _table = table;
                MemoryAccount.Shared.CountNative(bytes);
                return true;
            }
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            // Built without it.
        }

        HostSystem.Current.FreePages(pages, bytes);
        return false;
    }

    private static byte* Terminated(string text)
    {
        byte[] bytes = HostPath.Encode(text);
        byte* copy = (byte*)NativeMemory.Alloc((nuint)bytes.Length + 1);
        bytes.CopyTo(new Span<byte>(copy, bytes.Length));
        copy[bytes.Length] = 0;
        return copy;
    }

    [LibraryImport("aotlink_guard")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    private static partial int aotlink_guard_install(Entry* table, long* count, byte* prefix);

    /// <summary>struct guard_entry of native/guard.c; <see cref="NextFree"/> lies over a field of a free entry.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 40)]
    internal struct Entry
    {
        [FieldOffset(0)]
        public nuint Start;
        [FieldOffset(8)]
        public nuint End;
        [FieldOffset(16)]
        public byte* Path;
        [FieldOffset(24)]
        public byte* Remove;
        [FieldOffset(32)]
        public int Truncate;
        [FieldOffset(32)]
        public int NextFree;
        [FieldOffset(36)]
        public int IsOutput;
    }
}
