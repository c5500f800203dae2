#include "textflag.h"

// The resolver of the dynamic linker saves all registers: that needs more stack than a goroutine starts with.
TEXT ·getpid(SB), 0, $16384-8
	CALL	libc_getpid(SB)
	MOVLQSX	AX, AX
	MOVQ	AX, ret+0(FP)
	RET

TEXT ·getppid(SB), 0, $16384-8
	CALL	libc_getppid(SB)
	MOVLQSX	AX, AX
	MOVQ	AX, ret+0(FP)
	RET

// The magnitude of a number, and the cosine of 0 as bits: from the second library.
TEXT ·labs(SB), 0, $16384-16
	MOVQ	x+0(FP), DI
	CALL	libc_labs(SB)
	MOVQ	AX, ret+8(FP)
	RET

TEXT ·cosZero(SB), 0, $16384-8
	XORPS	X0, X0
	CALL	libm_cos(SB)
	MOVSD	X0, ret+0(FP)
	RET

TEXT ·sortNothing(SB), 0, $16384-0
	XORL	DI, DI
	XORL	SI, SI
	CALL	libc_qsort_r(SB)
	RET
