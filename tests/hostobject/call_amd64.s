#include "textflag.h"

// func nativeAdd(a, b int64) int64
TEXT ·nativeAdd(SB), NOSPLIT, $64-24
	MOVQ a+0(FP), DI
	MOVQ b+8(FP), SI
	CALL native_add(SB)
	MOVQ AX, ret+16(FP)
	RET

// func nativeLookup(i int64) int64
TEXT ·nativeLookup(SB), NOSPLIT, $64-16
	MOVQ i+0(FP), DI
	CALL native_lookup(SB)
	MOVQ AX, ret+8(FP)
	RET
