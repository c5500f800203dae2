/*
 * The start of a Windows program that was linked without Microsoft's C runtime: for the win-x64 Native AOT build that is linked on
 * Linux (link.sh) and tested under Wine. The build that ships is linked on Windows, with Visual Studio's runtime.
 *
 * The universal C runtime (ucrtbase.dll, an API set) has the library functions; what a linker takes from libcmt.lib and libvcruntime.lib
 * is here: the entry point, the tables of initialisers, thread-local storage, the C++ heap operators.
 *
 * Sources: PE format (Microsoft), "The .tls Section"; the section names with $ are sorted by the linker, which is how the first and last
 * entry of each table end up around those of all other objects.
 */
typedef void (*action)();
typedef int (*failing_action)();
typedef void (*tls_callback)(void *image, unsigned long reason, void *reserved);
typedef unsigned long long size;

extern "C" {
__declspec(dllimport) void *malloc(size);
__declspec(dllimport) void free(void *);
__declspec(dllimport) __declspec(noreturn) void exit(int);
__declspec(dllimport) void _initterm(action *first, action *last);
__declspec(dllimport) int _initterm_e(failing_action *first, failing_action *last);
__declspec(dllimport) int _crt_atexit(action);
__declspec(dllimport) void _set_app_type(int);
__declspec(dllimport) int _configure_wide_argv(int);
__declspec(dllimport) int _initialize_wide_environment();
__declspec(dllimport) wchar_t **_get_initial_wide_environment();
__declspec(dllimport) int *__p___argc();
__declspec(dllimport) wchar_t ***__p___wargv();

int wmain(int count, wchar_t **arguments, wchar_t **environment);
void aotlink_seed_cookie();
}

/* Initialisers: C ones that may fail, C++ constructors, and those of thread-local objects. */
#pragma section(".CRT$XIA", long, read)
#pragma section(".CRT$XIZ", long, read)
#pragma section(".CRT$XCA", long, read)
#pragma section(".CRT$XCZ", long, read)
#pragma section(".CRT$XDA", long, read)
#pragma section(".CRT$XDZ", long, read)
static __declspec(allocate(".CRT$XIA")) failing_action c_first = 0;
static __declspec(allocate(".CRT$XIZ")) failing_action c_last = 0;
static __declspec(allocate(".CRT$XCA")) action cpp_first = 0;
static __declspec(allocate(".CRT$XCZ")) action cpp_last = 0;
static __declspec(allocate(".CRT$XDA")) action thread_first = 0;
static __declspec(allocate(".CRT$XDZ")) action thread_last = 0;

/* Thread-local storage: the template that each thread gets a copy of, and what the loader calls for each thread. */
#pragma section(".tls", long, read, write)
#pragma section(".tls$ZZZ", long, read, write)
#pragma section(".CRT$XLA", long, read)
#pragma section(".CRT$XLC", long, read)
#pragma section(".CRT$XLZ", long, read)
#pragma section(".rdata$T", long, read)

extern "C" {
unsigned long _tls_index = 0;
__declspec(thread) bool __tls_guard = false; /* compilers ask this before they use a thread-local object */

void __dyn_tls_on_demand_init()
{
	if (__tls_guard)
		return;
	__tls_guard = true;
	for (action *volatile next = &thread_first + 1; next < &thread_last; next++)
		if (*next)
			(*next)();
}

void __dyn_tls_init(void *, unsigned long reason, void *)
{
	const unsigned long thread_attach = 2;
	if (reason == thread_attach)
		__dyn_tls_on_demand_init();
}
}

static __declspec(allocate(".tls")) char template_first = 0;
static __declspec(allocate(".tls$ZZZ")) char template_last = 0;
static __declspec(allocate(".CRT$XLA")) tls_callback callback_first = 0;
static __declspec(allocate(".CRT$XLC")) tls_callback callback_ours = __dyn_tls_init;
static __declspec(allocate(".CRT$XLZ")) tls_callback callback_last = 0;

/* IMAGE_TLS_DIRECTORY64; the linker finds it by this name, and writes the alignment of the template into it. */
struct tls_directory {
	const void *first;
	const void *last;
	unsigned long *index;
	tls_callback *callbacks;
	unsigned zeros;
	unsigned alignment;
};
extern "C" {
extern const tls_directory _tls_used;
__declspec(allocate(".rdata$T")) const tls_directory _tls_used = {&template_first, &template_last, &_tls_index, &callback_ours, 0, 0};

/* Keeps what only its address is needed of. */
const void *aotlink_keep[] = {&callback_first, &callback_last};

int atexit(action last)
{
	return _crt_atexit(last);
}

void wmainCRTStartup()
{
	const int console = 1, unexpanded_arguments = 1, failed = 255;

	aotlink_seed_cookie();
	_set_app_type(console);
	_configure_wide_argv(unexpanded_arguments);
	_initialize_wide_environment();
	if (_initterm_e(&c_first, &c_last) != 0)
		exit(failed);
	_initterm(&cpp_first, &cpp_last);
	__dyn_tls_on_demand_init();
	exit(wmain(*__p___argc(), *__p___wargv(), _get_initial_wide_environment()));
}
}

namespace std {
struct nothrow_t {};
extern const nothrow_t nothrow;
const nothrow_t nothrow{};
}

void *operator new(size bytes, const std::nothrow_t &) noexcept { return malloc(bytes ? bytes : 1); }
void *operator new[](size bytes, const std::nothrow_t &) noexcept { return malloc(bytes ? bytes : 1); }
void operator delete(void *block) noexcept { free(block); }
void operator delete(void *block, size) noexcept { free(block); }
void operator delete[](void *block) noexcept { free(block); }
