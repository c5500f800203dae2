using System.Globalization;
using System.Text;

namespace AotLinker.Conformance.Suite;

/// <summary>
/// A Go program written by machine: what no one writes by hand, such as 20,000 strings that share beginnings and ends,
/// thousands of types and functions, and tables past 64 KB. The same text every time.
/// </summary>
internal static class GeneratedProgram
{
    private const int Packages = 8;
    private const int StringsPerPackage = 2500;
    private const int TypesPerPackage = 250;
    private const int FunctionsPerPackage = 700;

    /// <summary>Writes the module and returns its folder.</summary>
    public static string Write()
    {
        string root = Path.Combine(Settings.Cache, "generated");
        string module = Path.Combine(root, "large");
        string temporary = Path.Combine(root, Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(temporary);
        File.WriteAllText(Path.Combine(temporary, "go.mod"), "module example.test/large\n\ngo 1.24\n");
        for (int package = 0; package < Packages; package++)
        {
            string folder = Path.Combine(temporary, $"part{package}");
            Directory.CreateDirectory(folder);
            File.WriteAllText(Path.Combine(folder, "part.go"), Part(package));
        }

        File.WriteAllText(Path.Combine(temporary, "main.go"), MainFile());
        if (Directory.Exists(module) && CaptureSet.Stamp(module) == CaptureSet.Stamp(temporary))
        {
            Directory.Delete(temporary, recursive: true);
            return module;
        }

        if (Directory.Exists(module))
        {
            Directory.Delete(module, recursive: true);
        }

        Directory.Move(temporary, module);
        return module;
    }

    private static string Part(int package)
    {
        // A fixed linear congruential generator: the text must not depend on a library's.
        uint state = (uint)package * 2654435761 + 12345;
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"// Package part{package} is generated.\npackage part{package}\n\nimport \"fmt\"\n\n");
        text.Append("// Words is a table of strings with common prefixes and suffixes.\nvar Words = []string{\n");
        for (int index = 0; index < StringsPerPackage; index++)
        {
            text.Append("\t\"").Append(Word(ref state, package, index)).Append("\",\n");
        }

        text.Append("}\n\n// Shape is implemented by every type of this package.\ntype Shape interface {\n\tArea() int\n\tName() string\n}\n\n");
        for (int index = 0; index < TypesPerPackage; index++)
        {
            text.Append(CultureInfo.InvariantCulture, $"type t{index} struct {{\n\tf0 int\n\tf1 [{index % 17}]*t{(index + 1) % TypesPerPackage}\n\tf2 map[string]t{index % 7}b\n}}\n");
            text.Append(CultureInfo.InvariantCulture, $"type t{index}b [{index + 1}]uint{8 << (index % 4)}\n\n");
            text.Append(CultureInfo.InvariantCulture, $"func (t t{index}) Area() int    {{ return t.f0*{index} + len(t.f1) }}\n");
            text.Append(CultureInfo.InvariantCulture, $"func (t *t{index}) Name() string {{ return fmt.Sprint(\"t{index}\", t.f0) }}\n");
            text.Append(CultureInfo.InvariantCulture, $"func (t *t{index}) Dead{index}() any {{ return t{index}b{{}} }}\n\n");
        }

        text.Append("// Shapes is one of each.\nvar Shapes = []Shape{\n");
        for (int index = 0; index < TypesPerPackage; index++)
        {
            text.Append(CultureInfo.InvariantCulture, $"\t&t{index}{{f0: {index}}},\n");
        }

        text.Append("}\n\n");
        for (int index = 0; index < FunctionsPerPackage; index++)
        {
            text.Append(CultureInfo.InvariantCulture, $"//go:noinline\nfunc f{index}(a, b int) int {{\n");
            for (int line = 0; line < 1 + Next(ref state) % 6; line++)
            {
                text.Append(CultureInfo.InvariantCulture, $"\tif a > {Next(ref state) % 1000} {{\n\t\tb += a * {Next(ref state) % 100}\n\t}}\n");
            }

            text.Append(CultureInfo.InvariantCulture, $"\treturn a ^ b{(index % 3 == 0 ? string.Create(CultureInfo.InvariantCulture, $" + f{(index + 1) % FunctionsPerPackage}(0, a)*0") : "")}\n}}\n\n");
        }

        text.Append("// Functions is all of them.\nvar Functions = [...]func(int, int) int{\n");
        for (int index = 0; index < FunctionsPerPackage; index++)
        {
            text.Append(CultureInfo.InvariantCulture, $"\tf{index},\n");
        }

        return text.Append("}\n").ToString();
    }

    private static string MainFile()
    {
        StringBuilder text = new("// Command large is generated.\npackage main\n\nimport (\n\t\"fmt\"\n\t\"hash/fnv\"\n\n");
        for (int package = 0; package < Packages; package++)
        {
            text.Append(CultureInfo.InvariantCulture, $"\t\"example.test/large/part{package}\"\n");
        }

        text.Append(")\n\nfunc main() {\n\thash, sum := fnv.New64a(), 0\n");
        for (int package = 0; package < Packages; package++)
        {
            text.Append(CultureInfo.InvariantCulture, $"\tfor _, word := range part{package}.Words {{\n\t\thash.Write([]byte(word))\n\t}}\n");
            text.Append(CultureInfo.InvariantCulture, $"\tfor _, shape := range part{package}.Shapes {{\n\t\tsum += shape.Area() + len(shape.Name())\n\t}}\n");
            text.Append(CultureInfo.InvariantCulture, $"\tfor index, function := range part{package}.Functions {{\n\t\tsum += function(index, sum&255)\n\t}}\n");
        }

        return text.Append("\tfmt.Println(hash.Sum64(), sum)\n}\n").ToString();
    }

    private static string Word(ref uint state, int package, int index)
    {
        StringBuilder word = new();
        word.Append(CultureInfo.InvariantCulture, $"prefix {Next(ref state) % 40} ");
        int length = (int)(Next(ref state) % (index % 500 == 0 ? 3000u : 60u));
        for (int letter = 0; letter < length; letter++)
        {
            word.Append((char)('a' + Next(ref state) % 26));
        }

        return word.Append(CultureInfo.InvariantCulture, $" suffix {(index * 7 + package) % 100}").ToString();
    }

    private static uint Next(ref uint state)
    {
        state = state * 1664525 + 1013904223;
        return state >> 8;
    }
}
