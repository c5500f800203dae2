using AotLinker.Cli;
using AotLinker.Objects;

namespace AotLinker.Synthesize;

/// <summary>Sets string variables that the command line or the linker itself gives a value (ld.dostrdata, addstrdata).</summary>
internal static class StringVariables
{
    /// <summary>Sets the variables of <see cref="LinkOptions.StringDefinitions"/>, in their order.</summary>
    public static void Run(LinkContext ctx)
    {
        foreach (StringDefinition definition in ctx.Options.StringDefinitions)
        {
            Set(ctx, definition.Name, definition.Value);
        }
    }

    /// <summary>
    /// Gives a variable a value. Nothing happens if there is no such variable, or nothing uses it; a variable of another type is an error.
    /// </summary>
    public static void Set(LinkContext ctx, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        SymbolTable symbols = ctx.Symbols;
        SymbolId s = symbols.Lookup(name, 0);
        if (s.IsNone)
        {
            return;
        }
        SymbolId type = symbols.Aux(s, AuxKind.GoType);
        if (type.IsNone)
        {
            return;
        }
        if (!symbols.Name(type).SequenceEqual("type:string"u8))
        {
            ctx.Diagnostics.Error(name, $"cannot set with -X: not a var of type string ({symbols.NameText(type)})");
            return;
        }
        if (!symbols.IsReachable(s))
        {
            return;
        }
        SymbolBuilder variable = symbols.Update(s);
        if (variable.Kind == SymbolKind.Bss)
        {
            variable.SetKind(SymbolKind.Data);
        }

        byte[] contentName = [.. name, .. ".str"u8];
        SymbolBuilder content = symbols.Update(contentName, 0);
        content.AddString(value);
        content.SetKind(SymbolKind.RoData);

        // The size stays: address sanitizer makes variables larger than their content.
        int pointer = ctx.Target.PointerSize;
        variable.SetData(new byte[pointer * 2]);
        variable.ClearRelocs();
        variable.SetAddress(0, content.Symbol);
        variable.SetUInt(pointer, (ulong)value.Length, pointer);
    }
}
