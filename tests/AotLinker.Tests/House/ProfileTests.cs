using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using AotLinker.Conformance.Profile;
using AotLinker.Tests.Conformance;

namespace AotLinker.Tests.House;

/// <summary>The profile that the AOT compiler is given, src/AotLinker.Cli/aotlink.mibc, is of this source, or nearly.</summary>
public sealed class ProfileTests
{
    [Fact]
    public void MostMethodsOfTheProfileAreStillThere()
    {
        using PEReader file = new(File.OpenRead(typeof(LinkContext).Assembly.Location));
        MetadataReader metadata = file.GetMetadataReader();
        HashSet<string> methods =
        [
            .. from handle in metadata.MethodDefinitions
               let method = metadata.GetMethodDefinition(handle)
               select Text($"{SignatureText.NameOf(metadata, method.GetDeclaringType())}.{metadata.GetString(method.Name)}", SignatureText.Of(metadata, method.Signature)),
        ];
        string[] profiled = [.. MibcReader.Read(Path.Combine(SeamTests.Root(), "src", "AotLinker.Cli", "aotlink.mibc")).Select(method => Text(method.Name, method.Signature)).Distinct()];
        string[] gone = [.. profiled.Where(method => !methods.Contains(method))];
        Assert.True(profiled.Length > 500, $"the profile has {profiled.Length} methods only: run scripts/profile.sh");
        Assert.True(gone.Length * 4 <= profiled.Length, $"{gone.Length} of the {profiled.Length} methods of the profile are gone: run scripts/profile.sh\n" + string.Join('\n', gone));

        static string Text(string name, string signature) => $"{name} {signature}";
    }
}
