namespace AotLinker.Conformance.Suite;

internal sealed partial class StandardSuite
{
    /// <summary>Android's CPUs, the compilers of Debian that stand in for Android's, and whether there are plugins.</summary>
    private static readonly (string Cpu, string Compiler, bool HasPlugins)[] AndroidCpus =
    [
        ("386", "i686-linux-gnu-gcc", true), ("amd64", "gcc", true), ("arm", "arm-linux-gnueabihf-gcc", false), ("arm64", "aarch64-linux-gnu-gcc", false),
    ];

    /// <summary>
    /// Programs with C for Android up to the object and what the compiler is told: nothing is linked, for Android's libraries are not here.
    /// </summary>
    private void AddAndroid(string programsStamp, string half, string halfStamp)
    {
        foreach ((string cpu, string name, bool hasPlugins) in AndroidCpus)
        {
            if (Host.Find(name) is not { } compiler)
            {
                continue;
            }

            Dictionary<string, string> environment = new()
            {
                ["GOOS"] = "android",
                ["GOARCH"] = cpu,
                ["CGO_ENABLED"] = "1",
                ["CC"] = $"{compiler} -D__ANDROID__ -I{Path.Combine(half, "headers")}",
            };
            // Package net without C: the types of its functions are not those of Debian's headers.
            const string Tags = "-tags=netgo";
            // Android's library of logs is not here either: what the compiler makes of the call does not matter.
            CaptureSet programs = new(_toolchain, "build", [Tags, "./hello", "./server"], Settings.Programs, environment, programsStamp, failing: true);
            One("hello", () => programs[Module + "hello"]);
            One("server", () => programs[Module + "server"]);
            One("hello -s -w -v", () => programs[Module + "hello"], "-s", "-w", "-v");
            foreach (string mode in (string[])["pie", "c-shared", .. hasPlugins ? (string[])["plugin"] : []])
            {
                string package = mode == "plugin" ? "/plugin" : "";
                CaptureSet both = new(_toolchain, "build", [Tags, $"-buildmode={mode}", "." + package], half, environment, halfStamp, failing: true);
                One($"C and Go, {mode}", () => both["example.test/external" + package]);
            }

            void One(string what, Func<LinkStep> step, params string[] more) => Add(
                ExternalGroup, $"android/{cpu}: {what}", Tier.All, () => SameExternally(step(), more, isRun: false, compiler: "true"));
        }
    }
}
