using System.Buffers.Binary;

namespace AotLinker.Formats.Elf;

/// <summary>
/// Reads .ARM.attributes, what a compiler says about the choices it made (Addenda to the ABI for the Arm Architecture, section 3): the
/// letter A, then for each vendor a length, the vendor's name and lists of attributes, each for the file, a section or a symbol.
/// </summary>
internal ref struct ArmAttributes
{
    private const ulong ForFile = 1;
    private const ulong CpuRawName = 4;
    private const ulong CpuName = 5;
    private const ulong VfpArguments = 28;
    private const ulong Compatibility = 32;
    private const ulong NoDefaults = 64;

    private ReadOnlySpan<byte> _rest;

    private ArmAttributes(ReadOnlySpan<byte> list) => _rest = list;

    /// <summary>Whether the file passes floating-point arguments in registers (Tag_ABI_VFP_args of 1).</summary>
    /// <param name="content">The section.</param>
    /// <param name="complaint">What is wrong with the section; null if nothing is.</param>
    public static bool PassFloatsInRegisters(ReadOnlySpan<byte> content, out string? complaint)
    {
        bool found = false;
        complaint = "could not parse .ARM.attributes";
        if (content.IsEmpty || content[0] != 'A')
        {
            complaint = $".ARM.attributes has unexpected format {(content.IsEmpty ? '\0' : (char)content[0])}";
            return false;
        }
        for (content = content[1..]; !content.IsEmpty;)
        {
            if (!TryTake(ref content, 0, out ReadOnlySpan<byte> section))
                return false;
            int end = section.IndexOf((byte)0);
            if (end < 0)
            {
                complaint = "corrupt .ARM.attributes (section name not NUL-terminated)";
                return false;
            }
            if (!section[..end].SequenceEqual("aeabi"u8))
                continue;
            for (section = section[(end + 1)..]; !section.IsEmpty;)
            {
                ArmAttributes head = new(section);
                if (!head.TryNumber(out ulong scope) || !TryTake(ref section, section.Length - head._rest.Length, out ReadOnlySpan<byte> list))
                    return false;
                if (scope != ForFile)
                    continue;
                ArmAttributes attributes = new(list);
                while (!attributes._rest.IsEmpty)
                {
                    if (!attributes.TryNext(out ulong tag, out ulong value))
                        return false;
                    found |= tag == VfpArguments && value == 1;
                }
            }
        }
        complaint = null;
        return found;
    }

    /// <summary>Takes a part that begins with some bytes and its length, these included; what is behind the length is its content.</summary>
    private static bool TryTake(ref ReadOnlySpan<byte> rest, int before, out ReadOnlySpan<byte> content)
    {
        content = default;
        if (rest.Length - before < sizeof(uint))
            return false;
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(rest[before..]);
        if (length < before + sizeof(uint) || length > rest.Length)
            return false;
        content = rest[(before + sizeof(uint))..(int)length];
        rest = rest[(int)length..];
        return true;
    }

    // Numbers and strings: even tags have a number, odd ones from 32 on a string, some of the old ones are special.
    private bool TryNext(out ulong tag, out ulong value)
    {
        value = 0;
        if (!TryNumber(out tag))
            return false;
        bool isText = tag is CpuRawName or CpuName || (tag >= 32 && tag % 2 != 0);
        return tag switch
        {
            Compatibility => TryNumber(out value) && TrySkipString(),
            NoDefaults => true,
            _ => isText ? TrySkipString() : TryNumber(out value),
        };
    }

    private bool TryNumber(out ulong value)
    {
        value = 0;
        for (int i = 0; i < _rest.Length && i < 10; i++)
        {
            value |= (ulong)(_rest[i] & 0x7f) << (7 * i);
            if (_rest[i] < 0x80)
            {
                _rest = _rest[(i + 1)..];
                return true;
            }
        }
        return false;
    }

    private bool TrySkipString()
    {
        int end = _rest.IndexOf((byte)0);
        if (end < 0)
            return false;
        _rest = _rest[(end + 1)..];
        return true;
    }
}
