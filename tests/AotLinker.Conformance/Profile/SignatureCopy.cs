using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;

namespace AotLinker.Conformance.Profile;

/// <summary>
/// Copies signatures with other tokens, for another assembly, or with arguments in the place of type variables.
/// </summary>
/// <param name="translate">What stands for a type in the copy.</param>
/// <param name="arguments">Arguments for type variables; null keeps the variables.</param>
internal sealed class SignatureCopy(Func<EntityHandle, EntityHandle> translate, Instance? arguments = null)
{
    public void CopyMethod(ref BlobReader from, BlobBuilder to)
    {
        SignatureHeader header = from.ReadSignatureHeader();
        to.WriteByte(header.RawValue);
        if (header.IsGeneric)
        {
            CopyNumber(ref from, to);
        }

        int parameters = CopyNumber(ref from, to);
        for (int type = 0; type <= parameters; type++)
        {
            CopyType(ref from, to);
        }
    }

    public void CopyType(ref BlobReader from, BlobBuilder to)
    {
        byte code = from.ReadByte();
        byte[][]? known = (SignatureTypeCode)code switch
        {
            SignatureTypeCode.GenericTypeParameter => arguments?.TypeArguments,
            SignatureTypeCode.GenericMethodParameter => arguments?.MethodArguments,
            _ => null,
        };
        if (known is not null)
        {
            to.WriteBytes(known[from.ReadCompressedInteger()]);
            return;
        }

        to.WriteByte(code);
        switch (code)
        {
            case (byte)SignatureTypeKind.Class or (byte)SignatureTypeKind.ValueType:
                CopyHandle(ref from, to);
                break;
            case (byte)SignatureTypeCode.RequiredModifier or (byte)SignatureTypeCode.OptionalModifier:
                CopyHandle(ref from, to);
                CopyType(ref from, to);
                break;
            case (byte)SignatureTypeCode.Pointer or (byte)SignatureTypeCode.ByReference or (byte)SignatureTypeCode.SZArray or (byte)SignatureTypeCode.Pinned:
                CopyType(ref from, to);
                break;
            case (byte)SignatureTypeCode.GenericTypeParameter or (byte)SignatureTypeCode.GenericMethodParameter:
                CopyNumber(ref from, to);
                break;
            case (byte)SignatureTypeCode.GenericTypeInstance:
                CopyType(ref from, to);
                for (int count = CopyNumber(ref from, to); count > 0; count--)
                {
                    CopyType(ref from, to);
                }

                break;
            case (byte)SignatureTypeCode.Array:
                CopyType(ref from, to);
                CopyNumber(ref from, to);
                for (int list = 0; list < 2; list++)
                {
                    for (int count = CopyNumber(ref from, to); count > 0; count--)
                    {
                        CopyNumber(ref from, to);
                    }
                }

                break;
            case (byte)SignatureTypeCode.FunctionPointer:
                CopyMethod(ref from, to);
                break;
            default:
                // The primitive types are their code.
                break;
        }
    }

    private static int CopyNumber(ref BlobReader from, BlobBuilder to)
    {
        int number = from.ReadCompressedInteger();
        to.WriteCompressedInteger(number);
        return number;
    }

    private void CopyHandle(ref BlobReader from, BlobBuilder to) =>
        to.WriteCompressedInteger(CodedIndex.TypeDefOrRefOrSpec(translate(from.ReadTypeHandle())));
}
