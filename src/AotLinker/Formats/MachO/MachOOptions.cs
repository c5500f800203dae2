using AotLinker.Cli;
using AotLinker.Hashing;
using AotLinker.Releases;

namespace AotLinker.Formats.MachO;

/// <summary>What the command line says about a Mach-O file beyond <see cref="LinkSettings"/>.</summary>
internal sealed class MachOOptions
{
    /// <summary>The oldest system the program runs on.</summary>
    public MacVersion SystemVersion { get; init; }

    /// <summary>The SDK the program was built for, as far as the system asks.</summary>
    public MacVersion SdkVersion { get; init; }

    /// <summary>The UUID asked for, or what there is of it; empty for none (-B, or made of -buildid).</summary>
    public byte[] Uuid { get; init; } = [];

    /// <summary>Whether there is to be no UUID whatsoever (-B none).</summary>
    public bool OmitUuid { get; init; }

    /// <summary>Takes the values from a command line.</summary>
    public static MachOOptions From(LinkOptions options, Release release) => new()
    {
        SystemVersion = release.FixedMacVersion ?? options.MacOsVersion,
        SdkVersion = release.FixedMacVersion ?? options.MacSdkVersion,
        Uuid = options.HostBuildIdFromGo ? FromBuildId(options.BuildId, release) : options.HostBuildIdBytes,
        OmitUuid = options.HostBuildId == "none",
    };

    /// <summary>Turns a hash into a UUID by the bits that tell its version, 3, and its variant.</summary>
    /// <param name="hash">A hash; its first 16 bytes count, and are changed.</param>
    /// <param name="release">The release, which says what bits the variant has.</param>
    public static byte[] UuidFromHash(Span<byte> hash, Release release)
    {
        hash[6] = (byte)((hash[6] & 0x0f) | 0x30);
        hash[8] = (byte)((hash[8] & 0x3f) | release.UuidVariantBits);
        return hash[..16].ToArray();
    }

    private static byte[] FromBuildId(string buildId, Release release)
    {
        Span<byte> hash = stackalloc byte[Sha256.DigestSize];
        ToolHash.Sum32(RawText.Encode(buildId), hash, release.ToolHashMask);
        return UuidFromHash(hash, release);
    }
}
