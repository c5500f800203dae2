using System.Text;

namespace AotLinker.Releases;

/// <summary>Makes a release's tables from those of the next one.</summary>
internal static class TableChanges
{
    /// <summary>A table without some of its entries.</summary>
    public static byte[] Without(ReadOnlySpan<byte> table, ReadOnlySpan<byte> missing)
    {
        List<byte> rest = [];
        foreach (byte kind in table)
        {
            if (!missing.Contains(kind))
            {
                rest.Add(kind);
            }
        }
        return [.. rest];
    }

    /// <summary>The lines of a table.</summary>
    public static LineList Lines(ReadOnlySpan<byte> text) => new([.. Encoding.UTF8.GetString(text).Split('\n')]);

    /// <summary>The lines of a table, to be changed.</summary>
    public readonly struct LineList(List<string> lines)
    {
        /// <summary>Takes out lines.</summary>
        public LineList Without(params ReadOnlySpan<string> missing)
        {
            foreach (string line in missing)
            {
                lines.RemoveAt(IndexOf(line));
            }
            return this;
        }

        /// <summary>Takes out a line and all behind it, and puts another there.</summary>
        public LineList From(string line, string replacedBy)
        {
            lines.RemoveRange(IndexOf(line), lines.Count - IndexOf(line));
            lines.Add(replacedBy);
            return this;
        }

        /// <summary>Puts a line in the place of another.</summary>
        public LineList Replace(string line, string by)
        {
            lines[IndexOf(line)] = by;
            return this;
        }

        /// <summary>Adds a line in front of another.</summary>
        public LineList InsertBefore(string line, string added)
        {
            lines.Insert(IndexOf(line), added);
            return this;
        }

        /// <summary>The table.</summary>
        public byte[] ToBytes() => Encoding.UTF8.GetBytes(string.Join('\n', lines));

        private int IndexOf(string line) =>
            lines.IndexOf(line) is >= 0 and int i ? i : throw new InvalidOperationException($"there is no line {line}");
    }
}
