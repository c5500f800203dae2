// Command linknames joins symbols across packages: pushed, pulled, and a variable.
package main

import (
	"fmt"
	"os"
	"unsafe"

	"example.test/programs/linknames/hidden"
)

//go:linkname pulledDirect example.test/programs/linknames.pulled
func pulledDirect(value int) int

//go:linkname shared example.test/programs/linknames/hidden.shared
func shared() string

// fastrand style: the runtime allows these to be pulled.
//
//go:linkname nanotime runtime.nanotime
func nanotime() int64

//go:linkname memhash runtime.memhash
func memhash(p unsafe.Pointer, h, s uintptr) uintptr

//go:linkname procPin runtime.procPin
func procPin() int

//go:linkname procUnpin runtime.procUnpin
func procUnpin()

func main() {
	before := nanotime()
	hidden.Bump()
	data := [8]byte{1, 2, 3}
	procPin()
	procUnpin()
	first, again := memhash(unsafe.Pointer(&data), 0, 8), memhash(unsafe.Pointer(&data), 0, 8)
	if pulledDirect(1) != 43 || shared() != "shared" || first != again || nanotime() < before {
		fmt.Println("linknames are wrong", pulledDirect(1), shared())
		os.Exit(1)
	}
	fmt.Println("linknames ok")
}
