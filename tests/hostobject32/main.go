// A program for CPUs of 32 bits with a host object in its package: native.syso, which the suite makes from native.txt (C). Both refer
// to functions and data of a shared library.
package main

import (
	"fmt"
	"unsafe"
)

//go:cgo_import_dynamic labs labs "libc.so.6"
//go:cgo_import_dynamic environ environ "libc.so.6"
//go:cgo_import_dynamic _ _ "libc.so.6"

// nativeAdd calls the C function native_add.
func nativeAdd(a, b int32) int32

// nativeLookup calls the C function native_lookup, whose data needs relocations.
func nativeLookup(a int32) int32

// viaPlt calls the shared library's labs.
func viaPlt(a int32) int32

//go:linkname labsVariable labs
var labsVariable byte

// The address of an import, which the dynamic linker fills in.
var labsAddress = unsafe.Pointer(&labsVariable)

// The address of a function, defined in assembly.
var local uintptr

func main() {
	fmt.Println(nativeAdd(40, 2), nativeLookup(6) != 0, labsAddress != nil, local != 0, viaPlt(-5))
}
