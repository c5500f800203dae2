#include "textflag.h"

// func nativeAdd(a, b int64) int64
TEXT ·nativeAdd(SB), NOSPLIT, $64-24
	MOVD a+0(FP), R0
	MOVD b+8(FP), R1
	CALL native_add(SB)
	MOVD R0, ret+16(FP)
	RET

// func nativeLookup(i int64) int64
TEXT ·nativeLookup(SB), NOSPLIT, $64-16
	MOVD i+0(FP), R0
	CALL native_lookup(SB)
	MOVD R0, ret+8(FP)
	RET
