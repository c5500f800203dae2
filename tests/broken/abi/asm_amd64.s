#include "textflag.h"

// Calls a Go function of another package by the assembler's calling convention, for which it has no wrapper.
TEXT ·call(SB), NOSPLIT, $0-0
	CALL strings·ToUpper(SB)
	RET
