using System.Runtime.InteropServices;

namespace AotLinker.Compression;

/// <summary>Byte frequencies.</summary>
internal static unsafe class Histogram
{
    /// <summary>Stores the frequency of each byte value of <paramref name="data"/> in <paramref name="counts"/>[0..256).</summary>
    public static void Count(byte* data, int length, uint* counts)
    {
        NativeMemory.Clear(counts, 256 * sizeof(uint));
        byte* end = data + length;
        if (length >= 1024)
        {
            // Three more tables: increments of the same counter would otherwise wait for each other.
            uint* more = stackalloc uint[3 * 256];
            NativeMemory.Clear(more, 3 * 256 * sizeof(uint));
            uint* second = more + 256;
            uint* third = more + 512;
            for (; end - data >= 8; data += 8)
            {
                ulong v = *(ulong*)data;
                counts[(byte)v]++;
                more[(byte)(v >> 8)]++;
                second[(byte)(v >> 16)]++;
                third[(byte)(v >> 24)]++;
                counts[(byte)(v >> 32)]++;
                more[(byte)(v >> 40)]++;
                second[(byte)(v >> 48)]++;
                third[v >> 56]++;
            }
            for (int i = 0; i < 256; i++)
                counts[i] += more[i] + more[256 + i] + more[512 + i];
        }
        while (data < end)
            counts[*data++]++;
    }
}
