/*
 * What Microsoft's compiler calls in code that was built with its checks (see startup.cpp for what this is part of): stack cookies, stack
 * probes, range checks, control flow guard. A failed check ends the program. Stack frames are not examined while an exception passes, and
 * indirect calls are not checked: good for tests.
 */
typedef unsigned long long word;

extern "C" {
__declspec(dllimport) __declspec(noreturn) void abort();
__declspec(dllimport) void GetSystemTimeAsFileTime(word *);
__declspec(dllimport) unsigned long GetCurrentThreadId();
__declspec(dllimport) int QueryPerformanceCounter(word *);

int _fltused = 0x9875; /* "floating point is used": only its being there counts */

word __security_cookie = 0x2b992ddfa232;

/* Once, before anything that has a cookie on its stack. The upper 16 bits stay 0, as everywhere on x64. */
void aotlink_seed_cookie()
{
	word time = 0, ticks = 0;

	GetSystemTimeAsFileTime(&time);
	QueryPerformanceCounter(&ticks);
	__security_cookie = (__security_cookie ^ time ^ ticks << 20 ^ (word)GetCurrentThreadId() << 8) & 0xffffffffffff;
}

void __security_check_cookie(word cookie)
{
	if (cookie != __security_cookie)
		abort();
}

void __report_rangecheckfailure() { abort(); }

void _purecall() { abort(); }

int __GSHandlerCheck(void *, void *, void *, void *)
{
	return 1; /* ExceptionContinueSearch: the frame has no handler of its own */
}

void aotlink_jump_to_rax();
extern void (*const __guard_dispatch_icall_fptr)();
void (*const __guard_dispatch_icall_fptr)() = aotlink_jump_to_rax;
}

/*
 * An indirect call through control flow guard has its target in rax.
 *
 * __chkstk: rax holds how much the caller is about to take from the stack, which may be more than the guard page below it: each page is
 * touched in turn. All registers but the scratch ones r10 and r11 are kept.
 */
asm(".text\n"
    ".globl aotlink_jump_to_rax\n"
    "aotlink_jump_to_rax:\n"
    "	jmpq *%rax\n"
    "\n"
    ".globl __chkstk\n"
    "__chkstk:\n"
    "	leaq 8(%rsp), %r10\n"
    "	movq %rax, %r11\n"
    "0:	cmpq $4096, %r11\n"
    "	jb 1f\n"
    "	subq $4096, %r10\n"
    "	testb %al, (%r10)\n"
    "	subq $4096, %r11\n"
    "	jmp 0b\n"
    "1:	subq %r11, %r10\n"
    "	testb %al, (%r10)\n"
    "	retq\n");
