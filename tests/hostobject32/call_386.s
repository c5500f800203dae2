#include "textflag.h"

TEXT ·nativeAdd(SB), NOSPLIT, $16-12
	MOVL a+0(FP), AX
	MOVL AX, 0(SP)
	MOVL b+4(FP), AX
	MOVL AX, 4(SP)
	CALL native_add(SB)
	MOVL AX, ret+8(FP)
	RET

TEXT ·nativeLookup(SB), NOSPLIT, $16-8
	MOVL a+0(FP), AX
	MOVL AX, 0(SP)
	CALL native_lookup(SB)
	MOVL AX, ret+4(FP)
	RET

TEXT ·viaPlt(SB), 0, $16384-8
	MOVL a+0(FP), AX
	MOVL AX, 0(SP)
	CALL labs(SB)
	MOVL AX, ret+4(FP)
	RET

DATA ·local+0(SB)/4, $·nativeAdd(SB)
GLOBL ·local(SB), NOPTR, $4
