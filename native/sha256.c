/*
 * SHA-256's compression function with x86's instructions for it, which .NET 10 does not offer: five times as fast as scalar
 * code. Where this isn't built in, or the CPU has no such instructions, Hashing/Sha256Blocks.cs does the same.
 */
#include <stdint.h>

int aotlink_has_sha256(void);
void aotlink_sha256(uint32_t *state, const uint8_t *data, const uint8_t *end, const uint32_t *k);

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>

/* Asking takes microseconds in a virtual machine: once is enough. */
int aotlink_has_sha256(void)
{
	unsigned a, b, c, d;
	/* SSSE3 and SSE4.1, then SHA. None of them has registers that the system must know of. */
	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & (1u << 9)) || !(c & (1u << 19)))
		return 0;
	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & (1u << 29)) != 0;
}

#define LOAD(from) _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(from)), big_endian)

/* Four rounds, the first of them number t, with their words. */
#define ROUNDS(words, t) do { \
	__m128i sum = _mm_add_epi32(words, _mm_loadu_si128((const __m128i *)(k + (t)))); \
	cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum); \
	abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0e)); \
} while (0)

/* The words of the rounds sixteen later take the place of the first ones of four times four. */
#define SCHEDULE(first, second, third, fourth) \
	(first = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(first, second), _mm_alignr_epi8(fourth, third, 4)), fourth))

/* Compresses the blocks from data to end. */
__attribute__((target("sha,sse4.1,ssse3")))
void aotlink_sha256(uint32_t *state, const uint8_t *data, const uint8_t *end, const uint32_t *k)
{
	const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
	/* The instructions take the state as A, B, E, F and C, D, G, H, from the highest word down. */
	__m128i low = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1);
	__m128i high = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b);
	__m128i abef = _mm_alignr_epi8(low, high, 8);
	__m128i cdgh = _mm_blend_epi16(high, low, 0xf0);

	for (; data < end; data += 64) {
		__m128i abef_before = abef, cdgh_before = cdgh;
		__m128i w0 = LOAD(data), w1 = LOAD(data + 16), w2 = LOAD(data + 32), w3 = LOAD(data + 48);
		for (int i = 0; i < 48; i += 16) {
			ROUNDS(w0, i);
			SCHEDULE(w0, w1, w2, w3);
			ROUNDS(w1, i + 4);
			SCHEDULE(w1, w2, w3, w0);
			ROUNDS(w2, i + 8);
			SCHEDULE(w2, w3, w0, w1);
			ROUNDS(w3, i + 12);
			SCHEDULE(w3, w0, w1, w2);
		}
		ROUNDS(w0, 48);
		ROUNDS(w1, 52);
		ROUNDS(w2, 56);
		ROUNDS(w3, 60);
		abef = _mm_add_epi32(abef, abef_before);
		cdgh = _mm_add_epi32(cdgh, cdgh_before);
	}

	low = _mm_shuffle_epi32(abef, 0x1b);
	high = _mm_shuffle_epi32(cdgh, 0xb1);
	_mm_storeu_si128((__m128i *)state, _mm_blend_epi16(low, high, 0xf0));
	_mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(high, low, 8));
}

#else
int aotlink_has_sha256(void)
{
	return 0;
}

void aotlink_sha256(uint32_t *state, const uint8_t *data, const uint8_t *end, const uint32_t *k)
{
	(void)state, (void)data, (void)end, (void)k;
}
#endif
