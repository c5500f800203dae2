using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using AotLinker.Conformance.Profile;

namespace AotLinker.Tests.Conformance;

/// <summary>What a .mibc file says of one instance of a method.</summary>
/// <param name="Arguments">Those of its type and its own, as text.</param>
internal sealed record ProfiledMethod(string Name, string Signature, string Arguments, IReadOnlyList<Counter> Counters);

/// <summary>Reads .mibc files back, as ILC does: it goes through the code and takes down what is loaded.</summary>
internal sealed class MibcReader
{
    private readonly PEReader _file;
    private readonly MetadataReader _metadata;

    private MibcReader(Stream file)
    {
        _file = new PEReader(file);
        _metadata = _file.GetMetadataReader();
    }

    public static List<ProfiledMethod> Read(string path)
    {
        using ZipArchive archive = ZipFile.OpenRead(path);
        using Stream entry = archive.GetEntry(Path.GetFileName(path) + ".dll")!.Open();
        MemoryStream content = new();
        entry.CopyTo(content);
        content.Position = 0;
        return new MibcReader(content).ReadGroups();
    }

    private List<ProfiledMethod> ReadGroups()
    {
        MethodDefinition dictionary = _metadata.MethodDefinitions.Select(_metadata.GetMethodDefinition)
            .Single(method => _metadata.GetString(method.Name) == "AssemblyDictionary");
        List<ProfiledMethod> methods = [];
        foreach (object loaded in Loaded(dictionary))
        {
            if (loaded is EntityHandle group)
            {
                Read(_metadata.GetMethodDefinition((MethodDefinitionHandle)group), methods);
            }
        }

        return methods;
    }

    private void Read(MethodDefinition group, List<ProfiledMethod> methods)
    {
        EntityHandle method = default;
        List<int> numbers = [];
        foreach (object loaded in Loaded(group))
        {
            switch (loaded)
            {
                case EntityHandle handle:
                    method = handle;
                    numbers.Clear();
                    break;
                case int number:
                    numbers.Add(number);
                    break;
                case "InstrumentationDataEnd":
                    methods.Add(Method(method, [.. numbers.Chunk(6).Select(ToCounter)]));
                    break;
                default:
                    Assert.Equal("InstrumentationDataStart", loaded);
                    break;
            }
        }
    }

    private static Counter ToCounter(int[] numbers)
    {
        Assert.Equal((6, 15, 1), (numbers.Length, numbers[0], numbers[3]));
        return new Counter(numbers[2], numbers[1], numbers[4], numbers[5]);
    }

    /// <summary>Strings, numbers and tokens that code loads.</summary>
    private IEnumerable<object> Loaded(MethodDefinition method)
    {
        BlobReader code = _file.GetMethodBody(method.RelativeVirtualAddress).GetILReader();
        List<object> loaded = [];
        while (code.RemainingBytes > 0)
        {
            ILOpCode operation = (ILOpCode)code.ReadByte();
            object? value = operation switch
            {
                ILOpCode.Ldtoken => System.Reflection.Metadata.Ecma335.MetadataTokens.EntityHandle(code.ReadInt32()),
                ILOpCode.Ldstr => _metadata.GetUserString((UserStringHandle)System.Reflection.Metadata.Ecma335.MetadataTokens.Handle(code.ReadInt32())),
                ILOpCode.Ldc_i4 => code.ReadInt32(),
                ILOpCode.Ldc_i4_s => (int)code.ReadSByte(),
                >= ILOpCode.Ldc_i4_m1 and <= ILOpCode.Ldc_i4_8 => (int)operation - (int)ILOpCode.Ldc_i4_0,
                ILOpCode.Pop => null,
                _ => throw new InvalidDataException($"{operation} is not read as a profile"),
            };
            if (value is not null)
            {
                loaded.Add(value);
            }
        }

        return loaded;
    }

    private ProfiledMethod Method(EntityHandle handle, Counter[] counters)
    {
        string arguments = "";
        if (handle.Kind == HandleKind.MethodSpecification)
        {
            MethodSpecification specification = _metadata.GetMethodSpecification((MethodSpecificationHandle)handle);
            arguments = $"<{string.Join(',', specification.DecodeSignature(SignatureText.Provider, null))}>";
            handle = specification.Method;
        }

        MemberReference reference = _metadata.GetMemberReference((MemberReferenceHandle)handle);
        EntityHandle owner = reference.Parent;
        if (owner.Kind == HandleKind.TypeSpecification)
        {
            TypeSpecification specification = _metadata.GetTypeSpecification((TypeSpecificationHandle)owner);
            string text = specification.DecodeSignature(SignatureText.Provider, null);
            arguments = text[text.IndexOf('<', StringComparison.Ordinal)..] + arguments;
            BlobReader signature = _metadata.GetBlobReader(specification.Signature);
            signature.Offset += 2; // an instance of a generic type, class or value type
            owner = signature.ReadTypeHandle();
        }

        string name = $"{TypeName((TypeReferenceHandle)owner)}.{_metadata.GetString(reference.Name)}";
        return new ProfiledMethod(name, SignatureText.Of(_metadata, reference.Signature), arguments, counters);
    }

    private string TypeName(TypeReferenceHandle handle)
    {
        TypeReference type = _metadata.GetTypeReference(handle);
        string name = _metadata.GetString(type.Name);
        return type.ResolutionScope.Kind == HandleKind.TypeReference ? $"{TypeName((TypeReferenceHandle)type.ResolutionScope)}+{name}"
            : type.Namespace.IsNil ? name
            : $"{_metadata.GetString(type.Namespace)}.{name}";
    }
}
