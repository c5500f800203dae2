namespace AotLinker.Tests.Mapping;

/// <summary>A folder for one test, deleted with it.</summary>
internal sealed class Scratch : IDisposable
{
    public Scratch(string? root = null)
    {
        Root = root is null
            ? Directory.CreateTempSubdirectory("aotlink-test-").FullName
            : Directory.CreateDirectory(Path.Combine(root, "aotlink-test-" + Guid.NewGuid().ToString("N"))).FullName;
    }

    public string Root { get; }

    public string this[string name] => Path.Combine(Root, name);

    /// <summary>A file whose bytes follow from its length alone.</summary>
    public string File(string name, int length)
    {
        System.IO.File.WriteAllBytes(this[name], Pattern(length));
        return this[name];
    }

    public static byte[] Pattern(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
