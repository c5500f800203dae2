namespace AotLinker.Formats.Elf;

/// <summary>The names in .shstrtab where they are settled before sections are made (doelf up to Go 1.25).</summary>
internal sealed partial class ElfFormat
{
    // More headers than that are an error there.
    private const int MostSections = 400;

    private List<string> SettledNames(LinkContext ctx)
    {
        string relRo = ctx.Target.UseRelro ? ".data.rel.ro" : "";
        List<string> names =
            ["", ".text", ".noptrdata", ".data", ".bss", ".noptrbss", ".go.fuzzcntrs", ".go.buildinfo", ".go.fipsinfo", .. _cpu.AbiSections];
        bool isExternal = ctx.Target.IsExternal;
        if (!ctx.Settings.NoDynamic || isExternal)
            names.Add(".tbss");
        if (_os.Identification is { } identification)
            names.Add(identification(_encoding, _options.Race).SectionName);
        if (_options.Race && _os.FixedLayout is { } fixedLayout)
            names.Add(fixedLayout(_encoding).SectionName);
        if (_gnuBuildId.Length > 0)
            names.Add(".note.gnu.build-id");
        if (_options.BuildId.Length > 0)
            names.Add(".note.go.buildid");
        names.AddRange([".elfdata", ".rodata"]);
        if (relRo.Length > 0)
            names.Add(relRo);
        names.AddRange([relRo + ".typelink", relRo + ".itablink", relRo + ".gosymtab", relRo + ".gopclntab"]);
        if (isExternal)
        {
            string rel = RelocationPrefix;
            names.AddRange([rel + ".text", rel + ".rodata"]);
            names.AddRange([rel + relRo + ".typelink", rel + relRo + ".itablink", rel + relRo + ".gosymtab", rel + relRo + ".gopclntab"]);
            names.AddRange([rel + ".noptrdata", rel + ".data"]);
            if (relRo.Length > 0)
                names.Add(rel + relRo);
            names.AddRange([rel + ".go.buildinfo", rel + ".go.fipsinfo", .. _cpu.AbiSections.Select(name => rel + name), ".note.GNU-stack"]);
            if (ctx.Target.BuildMode == BuildMode.Shared)
                names.AddRange([AbiHashSection, PackageListSection, DependenciesSection]);
        }
        if (ctx.Target.IsLinkShared || ctx.Target.BuildMode is BuildMode.CArchive or BuildMode.CShared or BuildMode.Shared or BuildMode.Plugin)
            names.AddRange([".init_array", RelocationPrefix + ".init_array"]);
        if (!ctx.Settings.OmitSymbolTable)
            names.AddRange([".symtab", ".strtab"]);
        if (!ctx.Settings.OmitDwarf)
        {
            foreach (string name in ctx.Release.SettledDebugSections(ctx.Options.Experiments.Has(Releases.Experiments.Dwarf5)))
            {
                names.Add(".debug_" + name);
                if (isExternal)
                    names.Add(RelocationPrefix + ".debug_" + name);
            }
        }
        names.Add(".shstrtab");
        if (!ctx.Settings.NoDynamic)
        {
            names.AddRange([".interp", ".hash", ".got", .. _cpu.StubSections, ".got.plt", ".dynamic", ".dynsym", ".dynstr"]);
            names.AddRange([RelocationPrefix, RelocationPrefix + ".plt", ".plt", ".gnu.version", ".gnu.version_r"]);
        }
        return names;
    }
}
