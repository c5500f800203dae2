// Command dynimport calls C functions of a shared library without cgo, as the standard library does on some systems.
package main

import (
	"fmt"
	"os"
)

//go:cgo_import_dynamic libc_labs labs "libc.so.6"
//go:cgo_import_dynamic libm_unused sin "libm.so.6"
//go:cgo_import_dynamic _ _ "libc.so.6"
//go:cgo_import_dynamic _ _ "libdl.so.2"

// The address of a trampoline, defined in assembly.
var ffsll uintptr

func labs(value int64) int64
func sortNothing()
func cosZero() float64
func call1(function uintptr, argument int64) int64

func main() {
	sortNothing()
	got := []int64{labs(-5), labs(7), call1(ffsll, 64)}
	fmt.Println(got, cosZero())
	if cosZero() != 1 || got[0] != 5 || got[1] != 7 || got[2] != 7 {
		os.Exit(1)
	}
}
