namespace AotLinker.Releases;

/// <summary>The packages that make up the runtime (cmd/internal/objabi/pkgspecial.go; the same in all releases we know).</summary>
internal static class RuntimePackages
{
    /// <summary>Whether an import path is the runtime's or one of the packages it is built on.</summary>
    public static bool Contains(string path) => path is
        "runtime"
        or "internal/runtime/atomic"
        or "internal/runtime/cgroup"
        or "internal/runtime/exithook"
        or "internal/runtime/gc"
        or "internal/runtime/gc/scan"
        or "internal/runtime/maps"
        or "internal/runtime/math"
        or "internal/runtime/sys"
        or "internal/runtime/syscall/linux"
        or "internal/runtime/syscall/windows"
        or "internal/abi"
        or "internal/bytealg"
        or "internal/byteorder"
        or "internal/chacha8rand"
        or "internal/coverage/rtcov"
        or "internal/cpu"
        or "internal/goarch"
        or "internal/godebugs"
        or "internal/goexperiment"
        or "internal/goos"
        or "internal/profilerecord"
        or "internal/strconv"
        or "internal/stringslite";
}
