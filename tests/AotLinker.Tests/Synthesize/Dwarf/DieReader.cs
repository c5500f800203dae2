using System.Buffers.Binary;
using System.Text;

namespace AotLinker.Tests.Synthesize.Dwarf;

/// <summary>
/// Reads .debug_info by .debug_abbrev, knowing nothing of how the linker writes them: every DIE must begin where the one before ends, and
/// every unit end where its header says. 64-bit, little-endian.
/// </summary>
internal sealed class DieReader
{
    private readonly byte[] _info;
    private readonly Shape[] _shapes;
    private int _at;

    private DieReader(byte[] info, byte[] abbreviations)
    {
        _info = info;
        _shapes = ReadAbbreviations(abbreviations);
    }

    /// <summary>What an abbreviation says; attributes as name and form.</summary>
    public sealed record Shape(int Tag, bool HasChildren, (int Name, int Form)[] Attributes);

    /// <summary>A DIE: values are numbers, strings or byte blocks; references are offsets in the section.</summary>
    public sealed record Die(int Offset, int Tag, Dictionary<int, object> Attributes, List<Die> Children)
    {
        public string Name => Attributes.TryGetValue(0x03, out object? name) ? (string)name : "";

        public IEnumerable<Die> All => Children.SelectMany(c => c.All).Prepend(this);
    }

    /// <summary>The shapes by number; entry 0 is not used.</summary>
    public static Shape[] ReadAbbreviations(byte[] bytes)
    {
        List<Shape> shapes = [new Shape(0, false, [])];
        int at = 0;
        while (true)
        {
            int number = (int)Unsigned(bytes, ref at);
            if (number == 0)
            {
                Assert.Equal(bytes.Length, at);
                return [.. shapes];
            }
            Assert.Equal(shapes.Count, number);
            int tag = (int)Unsigned(bytes, ref at);
            bool hasChildren = bytes[at++] == 1;
            List<(int, int)> attributes = [];
            while (true)
            {
                int name = (int)Unsigned(bytes, ref at), form = (int)Unsigned(bytes, ref at);
                if (name == 0 && form == 0)
                {
                    break;
                }
                attributes.Add((name, form));
            }
            shapes.Add(new Shape(tag, hasChildren, [.. attributes]));
        }
    }

    /// <summary>The DIEs of all units.</summary>
    public static List<Die> ReadUnits(byte[] info, byte[] abbreviations)
    {
        DieReader reader = new(info, abbreviations);
        List<Die> units = [];
        while (reader._at < info.Length)
        {
            units.Add(reader.ReadUnit());
        }
        return units;
    }

    public static ulong Unsigned(byte[] bytes, ref int at)
    {
        ulong v = 0;
        for (int shift = 0; ; shift += 7)
        {
            byte b = bytes[at++];
            v |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80)
            {
                return v;
            }
        }
    }

    private Die ReadUnit()
    {
        int end = _at + 4 + (int)Fixed(4);
        ulong version = Fixed(2);
        if (version == 5)
        {
            // Kind, address size, offset of the abbreviations.
            Assert.Equal((1ul, 8ul, 0ul), (Fixed(1), Fixed(1), Fixed(4)));
        }
        else
        {
            Assert.Equal((4ul, 0ul, 8ul), (version, Fixed(4), Fixed(1)));
        }
        Die unit = ReadDie()!;
        Assert.Equal(0x11, unit.Tag);
        Assert.Equal(end, _at);
        return unit;
    }

    private Die? ReadDie()
    {
        int offset = _at;
        int number = (int)Unsigned(_info, ref _at);
        if (number == 0)
        {
            return null;
        }
        Shape shape = _shapes[number];
        Dictionary<int, object> attributes = [];
        foreach ((int name, int form) in shape.Attributes)
        {
            attributes.Add(name, ReadValue(form));
        }
        List<Die> children = [];
        while (shape.HasChildren && ReadDie() is { } child)
        {
            children.Add(child);
        }
        return new Die(offset, shape.Tag, attributes, children);
    }

    private object ReadValue(int form)
    {
        switch (form)
        {
            case 0x01:
                return Fixed(8);
            case 0x06 or 0x10 or 0x17:
                return Fixed(4);
            case 0x0b or 0x0c:
                return Fixed(1);
            case 0x08:
                int end = Array.IndexOf(_info, (byte)0, _at);
                string text = Encoding.UTF8.GetString(_info, _at, end - _at);
                _at = end + 1;
                return text;
            case 0x0a:
                byte[] block = _info.AsSpan(_at + 1, _info[_at]).ToArray();
                _at += 1 + block.Length;
                return block;
            case 0x0d or 0x0f or 0x1b:
                return Unsigned(_info, ref _at);
            default:
                throw new InvalidDataException($"form 0x{form:x}");
        }
    }

    private ulong Fixed(int size)
    {
        Span<byte> wide = stackalloc byte[8];
        wide.Clear();
        _info.AsSpan(_at, size).CopyTo(wide);
        _at += size;
        return BinaryPrimitives.ReadUInt64LittleEndian(wide);
    }
}
