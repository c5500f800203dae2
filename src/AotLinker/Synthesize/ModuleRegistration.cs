using AotLinker.Objects;

namespace AotLinker.Synthesize;

/// <summary>
/// What makes a module known to the runtime when it is loaded: a function in the module's initialisers that hands its moduledata over, where
/// the runtime belongs to another module or has started long before (ld.PrepareAddmoduledata).
/// </summary>
internal static class ModuleRegistration
{
    /// <summary>
    /// Makes the function, which has no code yet, and the initialiser that refers to it; puts what is called into the text. Serial, and part
    /// of the generation of text.
    /// </summary>
    /// <param name="ctx">The link.</param>
    /// <param name="callee">runtime.addmoduledata, which the function is to call with the address of the moduledata.</param>
    /// <returns>The function; null where the module needs none.</returns>
    public static SymbolBuilder? Prepare(LinkContext ctx, out SymbolId callee)
    {
        SymbolTable symbols = ctx.Symbols;
        callee = SymbolId.None;
        if (!ctx.Target.IsDynlinkingGo)
        {
            return null;
        }
        bool isPlugin = ctx.Target.BuildMode == BuildMode.Plugin;
        SymbolId register = symbols.LookupOrCreate("runtime.addmoduledata"u8, 0);
        if (symbols.Kind(register).IsText() && !isPlugin)
        {
            // The runtime is part of this module.
            return null;
        }
        callee = register;
        symbols.Set(register, SymbolTable.Attributes.Reachable);
        SymbolBuilder function = symbols.Update("go:link.addmoduledata"u8, 0);
        function.Set(SymbolTable.Attributes.Reachable | SymbolTable.Attributes.Local).SetKind(SymbolKind.Text);
        if (isPlugin)
        {
            ctx.Text.Add(register);
        }
        ctx.Text.Add(function.Symbol);
        SymbolBuilder initializer = symbols.Update("go:link.addmoduledatainit"u8, 0);
        initializer.Set(SymbolTable.Attributes.Reachable | SymbolTable.Attributes.Local).SetKind(SymbolKind.InitArr);
        initializer.AddAddress(function.Symbol);
        return function;
    }
}
