#include "textflag.h"

// Calls C functions on the system stack: no cgo, only the dynamic linker.

// func labs(value int64) int64: through the procedure linkage table
TEXT ·labs(SB), NOSPLIT, $16-16
	MOV value+0(FP), X10
	CALL libc_labs(SB)
	MOV X10, ret+8(FP)
	RET

// func sortNothing(): a symbol of another version of the same library. The resolver of the dynamic linker may need more stack
// than a goroutine starts with.
TEXT ·sortNothing(SB), 0, $16384-0
	MOV $0, X10
	MOV $0, X11
	CALL libc_qsort_r(SB)
	RET

// func cosZero() float64: a second library with versions
TEXT ·cosZero(SB), 0, $16384-8
	FMVDX X0, F10
	CALL libm_cos(SB)
	MOVD F10, ret+0(FP)
	RET

// func call1(function uintptr, argument int64) int64
TEXT ·call1(SB), NOSPLIT, $16-24
	MOV function+0(FP), X5
	MOV argument+8(FP), X10
	JALR X1, X5
	MOV X10, ret+16(FP)
	RET

// A trampoline, as the standard library has them for OpenBSD; Go code takes its address.
TEXT ffsllTrampoline<>(SB), NOSPLIT, $0-0
	JMP libc_ffsll(SB)

DATA ·ffsll+0(SB)/8, $ffsllTrampoline<>(SB)
GLOBL ·ffsll(SB), NOPTR, $8
