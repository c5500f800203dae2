#include "textflag.h"

TEXT shared·routine(SB), NOSPLIT, $0-8
	MOVQ $1, ret+0(FP)
	RET

TEXT ·Routine(SB), NOSPLIT, $0-8
	JMP shared·routine(SB)
