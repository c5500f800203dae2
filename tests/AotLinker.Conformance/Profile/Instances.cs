using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace AotLinker.Conformance.Profile;

/// <summary>A method with the arguments of its generic type and its own: signatures of types, with the assembly's tokens.</summary>
internal sealed record Instance(MethodDefinitionHandle Method, byte[][] TypeArguments, byte[][] MethodArguments);

/// <summary>
/// Finds which instances of an assembly's generic methods its code asks for: ILC looks counts up for the method with its arguments, but
/// counter files don't say those of methods. Code of all methods is read; that of generic ones for each of their instances.
/// </summary>
internal sealed class Instances
{
    private static readonly Dictionary<int, OperandType> Operands = typeof(OpCodes).GetFields()
        .Select(field => (OpCode)field.GetValue(null)!)
        .ToDictionary(code => (int)(ushort)code.Value, code => code.OperandType);

    private readonly PEReader _file;
    private readonly MetadataReader _metadata;
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly Queue<Instance> _unread = new();
    private readonly Dictionary<MethodDefinitionHandle, List<Instance>> _found = [];

    public Instances(PEReader file)
    {
        _file = file;
        _metadata = file.GetMetadataReader();
        foreach (TypeDefinitionHandle type in _metadata.TypeDefinitions)
        {
            if (_metadata.GetTypeDefinition(type).GetGenericParameters().Count == 0)
            {
                AddMethods(type, []);
            }
        }

        while (_unread.TryDequeue(out Instance? instance))
        {
            ReadCode(instance);
        }
    }

    public IReadOnlyList<Instance> Of(MethodDefinitionHandle method) => _found.GetValueOrDefault(method) ?? [];

    private void Add(MethodDefinitionHandle method, byte[][] typeArguments, byte[][] methodArguments)
    {
        string key = $"{MetadataTokens.GetToken(method)} {string.Join(',', typeArguments.Select(Convert.ToHexString))} {string.Join(',', methodArguments.Select(Convert.ToHexString))}";
        if (_seen.Add(key))
        {
            Instance instance = new(method, typeArguments, methodArguments);
            _unread.Enqueue(instance);
            if (!_found.TryGetValue(method, out List<Instance>? list))
            {
                _found.Add(method, list = []);
            }

            list.Add(instance);
        }
    }

    private void AddMethods(TypeDefinitionHandle type, byte[][] arguments)
    {
        foreach (MethodDefinitionHandle method in _metadata.GetTypeDefinition(type).GetMethods())
        {
            if (_metadata.GetMethodDefinition(method).GetGenericParameters().Count == 0)
            {
                Add(method, arguments, []);
            }
        }
    }

    private void ReadCode(Instance user)
    {
        int address = _metadata.GetMethodDefinition(user.Method).RelativeVirtualAddress;
        if (address == 0)
        {
            return;
        }

        BlobReader code = _file.GetMethodBody(address).GetILReader();
        while (code.RemainingBytes > 0)
        {
            int value = code.ReadByte();
            value = value == 0xFE ? 0xFE00 | code.ReadByte() : value;
            switch (Operands[value])
            {
                case OperandType.InlineNone:
                    break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                    code.Offset++;
                    break;
                case OperandType.InlineVar:
                    code.Offset += 2;
                    break;
                case OperandType.InlineI8 or OperandType.InlineR:
                    code.Offset += 8;
                    break;
                case OperandType.InlineSwitch:
                    int targets = code.ReadInt32();
                    code.Offset += 4 * targets;
                    break;
                case OperandType.InlineMethod or OperandType.InlineField or OperandType.InlineType or OperandType.InlineTok:
                    Mention(MetadataTokens.EntityHandle(code.ReadInt32()), user);
                    break;
                default:
                    code.Offset += 4;
                    break;
            }
        }
    }

    private void Mention(EntityHandle handle, Instance user)
    {
        if (handle.Kind == HandleKind.TypeSpecification)
        {
            MentionType(handle, user, out _);
        }
        else if (handle.Kind == HandleKind.MemberReference)
        {
            MentionType(_metadata.GetMemberReference((MemberReferenceHandle)handle).Parent, user, out _);
        }
        else if (handle.Kind == HandleKind.MethodSpecification)
        {
            MethodSpecification specification = _metadata.GetMethodSpecification((MethodSpecificationHandle)handle);
            byte[][] typeArguments = [];
            MethodDefinitionHandle method = default;
            if (specification.Method.Kind == HandleKind.MethodDefinition)
            {
                method = (MethodDefinitionHandle)specification.Method;
            }
            else
            {
                MemberReference reference = _metadata.GetMemberReference((MemberReferenceHandle)specification.Method);
                TypeDefinitionHandle type = MentionType(reference.Parent, user, out typeArguments);
                if (!type.IsNil)
                {
                    method = Find(type, reference);
                }
            }

            if (!method.IsNil)
            {
                BlobReader signature = _metadata.GetBlobReader(specification.Signature);
                signature.ReadByte();
                Add(method, typeArguments, Arguments(ref signature, user));
            }
        }
    }

    /// <summary>Notes an instance of a generic type; returns its definition, or nil where it is none of this assembly.</summary>
    private TypeDefinitionHandle MentionType(EntityHandle handle, Instance user, out byte[][] arguments)
    {
        arguments = [];
        if (handle.Kind != HandleKind.TypeSpecification)
        {
            return default;
        }

        BlobReader signature = _metadata.GetBlobReader(_metadata.GetTypeSpecification((TypeSpecificationHandle)handle).Signature);
        if (signature.ReadSignatureTypeCode() != SignatureTypeCode.GenericTypeInstance)
        {
            return default;
        }

        signature.ReadByte();
        if (signature.ReadTypeHandle() is not { Kind: HandleKind.TypeDefinition } type)
        {
            return default;
        }

        arguments = Arguments(ref signature, user);
        AddMethods((TypeDefinitionHandle)type, arguments);
        return (TypeDefinitionHandle)type;
    }

    private MethodDefinitionHandle Find(TypeDefinitionHandle type, MemberReference reference) =>
        _metadata.GetTypeDefinition(type).GetMethods().FirstOrDefault(handle =>
        {
            MethodDefinition method = _metadata.GetMethodDefinition(handle);
            return _metadata.GetString(method.Name) == _metadata.GetString(reference.Name)
                && _metadata.GetBlobBytes(method.Signature).AsSpan().SequenceEqual(_metadata.GetBlobBytes(reference.Signature));
        });

    private static byte[][] Arguments(ref BlobReader signature, Instance user)
    {
        byte[][] arguments = new byte[signature.ReadCompressedInteger()][];
        for (int index = 0; index < arguments.Length; index++)
        {
            BlobBuilder argument = new();
            new SignatureCopy(handle => handle, user).CopyType(ref signature, argument);
            arguments[index] = argument.ToArray();
        }

        return arguments;
    }
}
