#include "textflag.h"

// Calls C functions on the system stack: no cgo, only the dynamic linker. C keeps R19 to R28, so R20 holds what is needed after a call;
// the stack pointer is aligned to 16 bytes in any case.

// func labs(value int64) int64: through the procedure linkage table
TEXT ·labs(SB), NOSPLIT, $16-16
	MOVD value+0(FP), R0
	CALL libc_labs(SB)
	MOVD R0, ret+8(FP)
	RET

// func sortNothing(): a symbol of another version of the same library. The resolver of the dynamic linker may need more stack
// than a goroutine starts with.
TEXT ·sortNothing(SB), 0, $16384-0
	MOVD $0, R0
	MOVD $0, R1
	CALL libc_qsort_r(SB)
	RET

// func cosZero() float64: a second library with versions
TEXT ·cosZero(SB), 0, $16384-8
	FMOVD ZR, F0
	CALL libm_cos(SB)
	FMOVD F0, ret+0(FP)
	RET

// func call1(function uintptr, argument int64) int64
TEXT ·call1(SB), NOSPLIT, $16-24
	MOVD function+0(FP), R8
	MOVD argument+8(FP), R0
	CALL (R8)
	MOVD R0, ret+16(FP)
	RET

// A trampoline, as the standard library has them for OpenBSD and macOS; Go code takes its address.
TEXT ffsllTrampoline<>(SB), NOSPLIT, $0-0
	JMP libc_ffsll(SB)

DATA ·ffsll+0(SB)/8, $ffsllTrampoline<>(SB)
GLOBL ·ffsll(SB), NOPTR, $8
