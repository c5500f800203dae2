using AotLinker.Formats.Elf;
using Xunit;

namespace AotLinker.Tests.Formats;

/// <summary>Which of GNU's linkers can't link modules of Go for 64-bit ARM.</summary>
public sealed class ElfArm64Tests
{
    [Theory]
    [InlineData("GNU ld (GNU Binutils for Debian) 2.40\nCopyright\n", false)]
    [InlineData("GNU ld (GNU Binutils for Debian) 2.35.2\nCopyright\n", true)]
    [InlineData("collect2 version 9\nGNU ld version 2.30-79.el8\n", true)]
    [InlineData("GNU ld 2.36", false)]
    [InlineData("GNU ld 3.1", false)]
    [InlineData("GNU ld none\nGNU ld x.y\nGNU ld 2.9\n", true)]
    [InlineData("GNU gold (GNU Binutils 2.30) 1.15", false)]
    [InlineData("GNU ld \n", false)]
    [InlineData("", false)]
    public void OldLinkersAreToldByTheirVersions(string text, bool isOld) => Assert.Equal(isOld, ElfArm64.IsOldGnuLinker(text));
}
