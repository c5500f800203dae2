// Imports calls functions of the C library through the dynamic linker, without cgo: the linker makes the tables and the PLT
// on its own. Symbols with several versions and without one, two libraries, and a third that is only named.
package main

import (
	"fmt"
	_ "unsafe"
)

//go:cgo_import_dynamic libc_getpid getpid#GLIBC_2.2.5 "libc.so.6"
//go:cgo_import_dynamic libc_getppid getppid#GLIBC_2.2.5 "libc.so.6"
//go:cgo_import_dynamic libc_qsort_r qsort_r#GLIBC_2.8 "libc.so.6"
//go:cgo_import_dynamic libc_labs labs "libc.so.6"
//go:cgo_import_dynamic libm_cos cos#GLIBC_2.2.5 "libm.so.6"
//go:cgo_import_dynamic _ _ "libdl.so.2"

func getpid() int
func getppid() int
func labs(x int) int
func cosZero() float64
func sortNothing()

func main() {
	sortNothing()
	fmt.Println(getpid() > 0, getppid() > 0, labs(-5), cosZero())
}
