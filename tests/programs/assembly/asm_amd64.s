// Routines and data in assembly: text with and without frames, static symbols, read-only and writable data, DUPOK, calls
// into Go, jumps between symbols, tables of addresses.

#include "funcdata.h"
#include "textflag.h"
#include "go_asm.h"

// func add(a, b uint64) uint64
TEXT ·add(SB), NOSPLIT, $0-24
	MOVQ a+0(FP), AX
	ADDQ b+8(FP), AX
	MOVQ AX, ret+16(FP)
	RET

// func sum(values []uint32) uint64
TEXT ·sum(SB), NOSPLIT, $0-32
	MOVQ values_base+0(FP), SI
	MOVQ values_len+8(FP), CX
	XORQ AX, AX
loop:
	TESTQ CX, CX
	JZ   done
	MOVL (SI), DX
	ADDQ DX, AX
	ADDQ $4, SI
	DECQ CX
	JMP  loop
done:
	MOVQ AX, ret+24(FP)
	RET

// func callBack(value int) int: a frame, a call of a Go function and one of a static routine
TEXT ·callBack(SB), 0, $24-16
	NO_LOCAL_POINTERS
	MOVQ value+0(FP), AX
	MOVQ AX, 0(SP)
	CALL ·double(SB)
	MOVQ 8(SP), AX
	CALL local<>(SB)
	MOVQ AX, ret+8(FP)
	RET

TEXT local<>(SB), NOSPLIT, $0-0
	ADDQ $const_bonus, AX
	RET

// func lookup(index int) uint64
TEXT ·lookup(SB), NOSPLIT, $0-16
	MOVQ index+0(FP), BX
	ANDQ $3, BX
	LEAQ table<>(SB), SI
	MOVQ (SI)(BX*8), AX
	ADDQ counter<>(SB), AX
	INCQ counter<>(SB)
	MOVQ AX, ret+8(FP)
	RET

// func tail(a, b uint64) uint64
TEXT ·tail(SB), NOSPLIT, $0-24
	JMP ·add(SB)

// func offset() uint64: field offsets from go_asm.h
TEXT ·offset(SB), NOSPLIT|NOFRAME, $0-8
	MOVQ $record_second, AX
	ADDQ $record__size, AX
	MOVQ AX, ret+0(FP)
	RET

// func address() uintptr: through a pointer in data
TEXT ·address(SB), NOSPLIT, $0-8
	MOVQ pointers<>+8(SB), AX
	MOVQ AX, ret+0(FP)
	RET

// func features() uint64: vector code and constants
TEXT ·features(SB), NOSPLIT, $0-8
	MOVOU mask<>(SB), X0
	PADDQ X0, X0
	MOVQ X0, AX
	MOVQ AX, ret+0(FP)
	RET

DATA table<>+0(SB)/8, $10
DATA table<>+8(SB)/8, $20
DATA table<>+16(SB)/8, $30
DATA table<>+24(SB)/8, $40
GLOBL table<>(SB), RODATA|NOPTR, $32

DATA mask<>+0(SB)/8, $0x0102030405060708
DATA mask<>+8(SB)/8, $0x1112131415161718
GLOBL mask<>(SB), RODATA|NOPTR, $16

GLOBL counter<>(SB), NOPTR, $8

DATA pointers<>+0(SB)/8, $·Exported(SB)
DATA pointers<>+8(SB)/8, $·Exported+8(SB)
GLOBL pointers<>(SB), RODATA, $16

DATA ·Greeting+0(SB)/8, $"hello fr"
DATA ·Greeting+8(SB)/4, $"om a"
DATA ·Greeting+12(SB)/4, $"sm\n\n"
GLOBL ·Greeting(SB), NOPTR, $16

DATA shared_constant<>+0(SB)/8, $3.14159
GLOBL shared_constant<>(SB), RODATA|NOPTR|DUPOK, $8
