/*
 * The one function that Go's runtime takes from bcryptprimitives.dll, which Debian's Wine (8.0) does not have. For test programs only:
 * what it gives is not random enough for anything else. It imports nothing, so that any compiler for Windows can make it.
 */
#if defined(__i386__)
#define API __attribute__((stdcall, dllexport))
typedef unsigned int length_t;
#else
#define API __attribute__((dllexport))
typedef unsigned long long length_t;
#endif

static unsigned long long state;

API int ProcessPrng(unsigned char *to, length_t length);

API int ProcessPrng(unsigned char *to, length_t length)
{
    for (length_t i = 0; i < length; i++) {
        state = (state ^ __builtin_ia32_rdtsc()) * 6364136223846793005ULL + 1442695040888963407ULL;
        to[i] = (unsigned char)(state >> 56);
    }
    return 1;
}
