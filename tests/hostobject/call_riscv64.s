#include "textflag.h"

// func nativeAdd(a, b int64) int64
TEXT ·nativeAdd(SB), NOSPLIT, $64-24
	MOV a+0(FP), X10
	MOV b+8(FP), X11
	CALL native_add(SB)
	MOV X10, ret+16(FP)
	RET

// func nativeLookup(i int64) int64
TEXT ·nativeLookup(SB), NOSPLIT, $64-16
	MOV i+0(FP), X10
	CALL native_lookup(SB)
	MOV X10, ret+8(FP)
	RET
