#include "textflag.h"

// A chain of routines that must not grow the stack, and need more than there is.

TEXT ·first(SB), NOSPLIT, $400-0
	CALL ·second(SB)
	RET

TEXT ·second(SB), NOSPLIT, $400-0
	CALL third<>(SB)
	RET

TEXT third<>(SB), NOSPLIT, $200-0
	CALL ·leaf(SB)
	RET
