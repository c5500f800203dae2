/*
 * "aotlink exec TOOL ARGS..." for any tool but the linker, before the .NET runtime starts.
 *
 * The go command runs every tool of a build through -toolexec: the compiler once for each package. Starting the runtime
 * only to be replaced costs 2 ms and 450 page faults each time; this costs nothing but the loading of the program. Where
 * it isn't built in, or the tool can't be run, Cli/ExecCommand.cs does the same and says what is wrong.
 *
 * Only glibc hands the arguments to constructors.
 */
#include <string.h>
#include <unistd.h>

#ifdef __GLIBC__
__attribute__((constructor(101))) static void exec_tool(int argc, char **argv)
{
	if (argc < 3 || strcmp(argv[1], "exec") != 0 || argv[2][0] == '-')
		return;
	const char *slash = strrchr(argv[2], '/');
	if (strcmp(slash ? slash + 1 : argv[2], "link") == 0)
		return;
	execvp(argv[2], argv + 2);
}
#endif
