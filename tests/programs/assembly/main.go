// Command assembly has routines and data written in assembly.
package main

import (
	"fmt"
	"os"
	"unsafe"
)

const bonus = 5

type record struct {
	first  uint32
	second uint64
	third  byte
}

// Exported is pointed to from assembly data.
var Exported [4]uint64

// Greeting is defined in assembly.
var Greeting [16]byte

func add(a, b uint64) uint64
func sum(values []uint32) uint64
func callBack(value int) int
func lookup(index int) uint64
func tail(a, b uint64) uint64
func offset() uint64
func address() uintptr
func features() uint64
func twice(value uint64) uint64
func deep() uint64

func double(value int) int { return grow(20) + 2*value }

// grow forces the stack to move while an assembly frame is on it.
//
//go:noinline
func grow(depth int) int {
	var space [1024]byte
	if depth > 0 {
		return grow(depth-1) + int(space[depth])
	}
	return int(space[0])
}

func main() {
	function := tail
	got := fmt.Sprint(add(1, 2), sum([]uint32{1, 2, 3, 1 << 31}), callBack(10), lookup(1), lookup(1), lookup(7), function(3, 4), offset(),
		address() == uintptr(unsafe.Pointer(&Exported[1])), features(), twice(21), deep(), string(Greeting[:14]), record{third: 1}.third)
	const want = "3 2147483654 25 20 21 42 7 32 true 145247719580765712 42 7hello from asm1"
	fmt.Println(got)
	if got != want {
		fmt.Println("want", want)
		os.Exit(1)
	}
}
