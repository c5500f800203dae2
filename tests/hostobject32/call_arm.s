#include "textflag.h"

TEXT ·nativeAdd(SB), NOSPLIT, $16-12
	MOVW a+0(FP), R0
	MOVW b+4(FP), R1
	BL native_add(SB)
	MOVW R0, ret+8(FP)
	RET

TEXT ·nativeLookup(SB), NOSPLIT, $16-8
	MOVW a+0(FP), R0
	BL native_lookup(SB)
	MOVW R0, ret+4(FP)
	RET

TEXT ·viaPlt(SB), 0, $16384-8
	MOVW a+0(FP), R0
	BL labs(SB)
	MOVW R0, ret+4(FP)
	RET

DATA ·local+0(SB)/4, $·nativeAdd(SB)
GLOBL ·local(SB), NOPTR, $4
