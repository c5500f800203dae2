//go:build mips64 || mips64le

#include "textflag.h"

// Calls C functions on the system stack: no cgo, only the dynamic linker.

// func labs(value int64) int64: through the procedure linkage table
TEXT ·labs(SB), NOSPLIT, $16-16
	MOVV value+0(FP), R4
	CALL libc_labs(SB)
	MOVV R2, ret+8(FP)
	RET

// func sortNothing(): a symbol of another version of the same library. The resolver of the dynamic linker may need more stack
// than a goroutine starts with.
TEXT ·sortNothing(SB), 0, $16384-0
	MOVV R0, R4
	MOVV R0, R5
	CALL libc_qsort_r(SB)
	RET

// func cosZero() float64: a second library with versions
TEXT ·cosZero(SB), 0, $16384-8
	MOVV R0, F12
	CALL libm_cos(SB)
	MOVD F0, ret+0(FP)
	RET

// func call1(function uintptr, argument int64) int64: C functions find their own data by R25
TEXT ·call1(SB), NOSPLIT, $16-24
	MOVV function+0(FP), R25
	MOVV argument+8(FP), R4
	CALL (R25)
	MOVV R2, ret+16(FP)
	RET

// A trampoline, as the standard library has them for OpenBSD and macOS; Go code takes its address.
TEXT ffsllTrampoline<>(SB), NOSPLIT|NOFRAME, $0-0
	JMP libc_ffsll(SB)

DATA ·ffsll+0(SB)/8, $ffsllTrampoline<>(SB)
GLOBL ·ffsll(SB), NOPTR, $8
