#include "textflag.h"

// A second file with a static routine of the same name.
TEXT local<>(SB), NOSPLIT, $0-0
	SHLQ $1, AX
	RET

// func twice(value uint64) uint64
TEXT ·twice(SB), NOSPLIT, $0-16
	MOVQ value+0(FP), AX
	CALL local<>(SB)
	MOVQ AX, ret+8(FP)
	RET

// func deep(): far more stack than the guard, so that the prologue takes the big-frame form
TEXT ·deep(SB), 0, $70000-8
	MOVQ $7, AX
	MOVQ AX, 0(SP)
	MOVQ 0(SP), AX
	MOVQ AX, ret+0(FP)
	RET
