using System.IO.Compression;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace AotLinker.Conformance.Profile;

/// <summary>
/// Writes counters as a .mibc file, which ILC takes for --mibc: an assembly, in a zip archive, whose code says the counts. AssemblyDictionary
/// names a method for each group of assemblies (one, here); that loads the token of each counted method, and numbers between two marks.
/// </summary>
internal sealed class MibcFile
{
    /// <summary>A counter's offset, kind, number of values and other end are each said in full, not as what they add to the last one's.</summary>
    private const int InFull = 15;

    // ILC runs none of this code.
    private const int Stack = 8;

    private static readonly BlobContentId Identity = new(new Guid("3f0f3c1e-7f0b-4a83-9d0a-6a6f746c696e"), 0);

    private readonly PEReader _file;
    private readonly MetadataReader _from;
    private readonly MetadataBuilder _to = new();
    private readonly InstructionEncoder _group = new(new BlobBuilder());
    private readonly Dictionary<EntityHandle, EntityHandle> _types = [];
    private readonly SignatureCopy _copy;

    private MibcFile(PEReader file)
    {
        _file = file;
        _from = file.GetMetadataReader();
        _copy = new SignatureCopy(Reference);
    }

    private string AssemblyName => _from.GetString(_from.GetAssemblyDefinition().Name);

    /// <summary>
    /// Writes what <paramref name="counters"/> say of the methods of an assembly; what is said of one method several times, as several runs
    /// or instances do, is added up. Returns how many methods were found in the assembly, and in how many instances.
    /// </summary>
    /// <exception cref="ConformanceException">None of the methods are the assembly's.</exception>
    public static (int Methods, int Instances) Write(string path, string assembly, IEnumerable<MethodCounters> counters)
    {
        using PEReader file = new(File.OpenRead(assembly));
        MibcFile mibc = new(file);
        (int methods, int instances) = mibc.AddMethods(counters);
        if (methods == 0)
        {
            throw new ConformanceException($"{assembly}: none of its methods were counted");
        }

        string temporary = path + ".new";
        using (FileStream stream = File.Create(temporary))
        {
            using ZipArchive archive = new(stream, ZipArchiveMode.Create);
            ZipArchiveEntry entry = archive.CreateEntry(Path.GetFileName(path) + ".dll", CompressionLevel.SmallestSize);
            entry.LastWriteTime = new DateTimeOffset(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);
            using Stream content = entry.Open();
            mibc.Finish(Path.GetFileNameWithoutExtension(path)).WriteContentTo(content);
        }

        File.Move(temporary, path, overwrite: true);
        return (methods, instances);
    }

    private (int Methods, int Instances) AddMethods(IEnumerable<MethodCounters> counters)
    {
        Dictionary<(string, string, int), MethodDefinitionHandle> known = Methods();
        Instances all = new(_file);
        int methods = 0;
        int instances = 0;
        var counted =
            from method in counters
            where method.Counters.Any(counter => counter.Value != 0)
            group method.Counters by (method.Name, method.Signature, method.Size);
        foreach (var method in counted.OrderBy(method => method.Key.Name, StringComparer.Ordinal).ThenBy(method => method.Key.Signature, StringComparer.Ordinal))
        {
            if (!known.TryGetValue(method.Key, out MethodDefinitionHandle handle))
            {
                continue;
            }

            methods++;
            List<Counter> sum = Sum(method);
            foreach (Instance instance in all.Of(handle))
            {
                instances++;
                AddEntry(instance, sum);
            }
        }

        return (methods, instances);
    }

    /// <summary>Methods by name, signature and length of IL, which together tell them apart.</summary>
    private Dictionary<(string, string, int), MethodDefinitionHandle> Methods()
    {
        Dictionary<(string, string, int), MethodDefinitionHandle> methods = [];
        foreach (MethodDefinitionHandle handle in _from.MethodDefinitions)
        {
            MethodDefinition method = _from.GetMethodDefinition(handle);
            if (method.RelativeVirtualAddress != 0)
            {
                string name = $"{SignatureText.NameOf(_from, method.GetDeclaringType())}.{_from.GetString(method.Name)}";
                int size = _file.GetMethodBody(method.RelativeVirtualAddress).GetILReader().Length;
                methods.TryAdd((name, SignatureText.Of(_from, method.Signature), size), handle);
            }
        }

        return methods;
    }

    /// <summary>
    /// Adds up counters with the same edges. The compiler folds branches on type arguments, so that instances may have other edges than most:
    /// those that were counted most often are taken.
    /// </summary>
    private static List<Counter> Sum(IEnumerable<IReadOnlyList<Counter>> runs)
    {
        var shapes = runs.GroupBy(run => string.Join(' ', run.Select(counter => $"{counter.Kind}:{counter.Offset}:{counter.Other}")), StringComparer.Ordinal);
        IReadOnlyList<Counter>[] same = [.. shapes.MaxBy(shape => shape.Sum(run => run.Sum(counter => counter.Value)))!];
        List<Counter> sum = [.. same[0].Select((counter, index) => counter with { Value = same.Sum(run => run[index].Value) })];

        // Four bytes are the room for a count; what one is to another is kept.
        long divisor = 1 + sum.Max(counter => counter.Value) / int.MaxValue;
        return [.. sum.Select(counter => counter with { Value = counter.Value / divisor })];
    }

    private void AddEntry(Instance instance, List<Counter> counters)
    {
        _group.OpCode(ILOpCode.Ldtoken);
        _group.Token(Reference(instance));
        _group.LoadString(_to.GetOrAddUserString("InstrumentationDataStart"));
        foreach (Counter counter in counters)
        {
            foreach (int number in (ReadOnlySpan<int>)[InFull, counter.Offset, counter.Kind, 1, counter.Other, (int)counter.Value])
            {
                _group.LoadConstantI4(number);
            }
        }

        _group.LoadString(_to.GetOrAddUserString("InstrumentationDataEnd"));
        _group.OpCode(ILOpCode.Pop);
    }

    private EntityHandle Reference(Instance instance)
    {
        MethodDefinition method = _from.GetMethodDefinition(instance.Method);
        EntityHandle owner = Reference(method.GetDeclaringType());
        if (instance.TypeArguments.Length != 0)
        {
            BlobBuilder type = new();
            type.WriteByte((byte)SignatureTypeCode.GenericTypeInstance);
            type.WriteByte((byte)(IsValueType(method.GetDeclaringType()) ? SignatureTypeKind.ValueType : SignatureTypeKind.Class));
            type.WriteCompressedInteger(CodedIndex.TypeDefOrRefOrSpec(owner));
            WriteArguments(type, instance.TypeArguments);
            owner = _to.AddTypeSpecification(_to.GetOrAddBlob(type));
        }

        BlobBuilder signature = new();
        BlobReader original = _from.GetBlobReader(method.Signature);
        _copy.CopyMethod(ref original, signature);
        EntityHandle reference = _to.AddMemberReference(owner, _to.GetOrAddString(_from.GetString(method.Name)), _to.GetOrAddBlob(signature));
        if (instance.MethodArguments.Length == 0)
        {
            return reference;
        }

        BlobBuilder arguments = new();
        arguments.WriteByte((byte)SignatureKind.MethodSpecification);
        WriteArguments(arguments, instance.MethodArguments);
        return _to.AddMethodSpecification(reference, _to.GetOrAddBlob(arguments));
    }

    private unsafe void WriteArguments(BlobBuilder to, byte[][] arguments)
    {
        to.WriteCompressedInteger(arguments.Length);
        foreach (byte[] argument in arguments)
        {
            fixed (byte* start = argument)
            {
                BlobReader reader = new(start, argument.Length);
                _copy.CopyType(ref reader, to);
            }
        }
    }

    private bool IsValueType(TypeDefinitionHandle type) =>
        _from.GetTypeDefinition(type).BaseType is { Kind: HandleKind.TypeReference } parent
        && _from.GetString(_from.GetTypeReference((TypeReferenceHandle)parent).Name) == "ValueType";

    /// <summary>A reference to a type of the assembly or of those it refers to.</summary>
    private EntityHandle Reference(EntityHandle handle)
    {
        if (_types.TryGetValue(handle, out EntityHandle known))
        {
            return known;
        }

        EntityHandle made;
        switch (handle.Kind)
        {
            case HandleKind.TypeDefinition:
                TypeDefinition definition = _from.GetTypeDefinition((TypeDefinitionHandle)handle);
                TypeDefinitionHandle outer = definition.GetDeclaringType();
                made = AddReference(Reference(outer.IsNil ? EntityHandle.AssemblyDefinition : outer), definition.Namespace, definition.Name);
                break;
            case HandleKind.TypeReference:
                TypeReference reference = _from.GetTypeReference((TypeReferenceHandle)handle);
                made = AddReference(Reference(reference.ResolutionScope), reference.Namespace, reference.Name);
                break;
            case HandleKind.AssemblyDefinition:
                AssemblyDefinition own = _from.GetAssemblyDefinition();
                made = _to.AddAssemblyReference(_to.GetOrAddString(_from.GetString(own.Name)), own.Version, default, default, default, default);
                break;
            default:
                AssemblyReference other = _from.GetAssemblyReference((AssemblyReferenceHandle)handle);
                made = _to.AddAssemblyReference(
                    _to.GetOrAddString(_from.GetString(other.Name)), other.Version, default, _to.GetOrAddBlob(_from.GetBlobBytes(other.PublicKeyOrToken)), other.Flags, default);
                break;
        }

        _types.Add(handle, made);
        return made;
    }

    private TypeReferenceHandle AddReference(EntityHandle scope, StringHandle space, StringHandle name) =>
        _to.AddTypeReference(scope, _to.GetOrAddString(_from.GetString(space)), _to.GetOrAddString(_from.GetString(name)));

    private BlobBuilder Finish(string name)
    {
        _to.AddModule(0, _to.GetOrAddString(name), _to.GetOrAddGuid(Identity.Guid), default, default);
        _to.AddAssembly(_to.GetOrAddString(name), new Version(0, 0, 0, 0), default, default, default, AssemblyHashAlgorithm.None);
        _to.AddTypeDefinition(default, default, _to.GetOrAddString("<Module>"), default, MetadataTokens.FieldDefinitionHandle(1), MetadataTokens.MethodDefinitionHandle(1));

        BlobBuilder code = new();
        MethodBodyStreamEncoder bodies = new(code);
        MethodDefinitionHandle group = AddMethod($"Assemblies_{AssemblyName};", bodies.AddMethodBody(_group, Stack));
        InstructionEncoder dictionary = new(new BlobBuilder());
        dictionary.LoadString(_to.GetOrAddUserString(AssemblyName + ";"));
        dictionary.OpCode(ILOpCode.Ldtoken);
        dictionary.Token(group);
        dictionary.OpCode(ILOpCode.Pop);
        AddMethod("AssemblyDictionary", bodies.AddMethodBody(dictionary, Stack));

        BlobBuilder file = new();
        new ManagedPEBuilder(PEHeaderBuilder.CreateLibraryHeader(), new MetadataRootBuilder(_to), code, deterministicIdProvider: _ => Identity).Serialize(file);
        return file;
    }

    private MethodDefinitionHandle AddMethod(string name, int body)
    {
        BlobBuilder signature = new();
        new BlobEncoder(signature).MethodSignature().Parameters(0, type => type.Void(), _ => { });
        return _to.AddMethodDefinition(
            MethodAttributes.Public | MethodAttributes.Static, MethodImplAttributes.IL, _to.GetOrAddString(name), _to.GetOrAddBlob(signature), body, default);
    }
}
