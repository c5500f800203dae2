package main

import "unsafe"

// Not in the order of their names: the linker keeps the order of the object.

//go:wasmexport zero
func zero() {}

//go:wasmexport add
func add(a, b int64) int64 { return total.add(a + b) }

//go:wasmexport halves
func halves(a float64, b float32) float64 { return a/2 + float64(b)/2 }

//go:wasmexport narrow
func narrow(a int32, b bool, p unsafe.Pointer) uint32 {
	if b || p != nil {
		return uint32(a)
	}
	return 0
}

//go:wasmimport env three_kinds
func threeKinds(a int64, b float64, c float32) int64

//go:wasmimport env notify
func notify(a int32)

//go:wasmimport other.module-x read
func read(p unsafe.Pointer, n uint32) int32

func hostCalls(n int32) int64 {
	var buffer [16]byte
	notify(n)
	return threeKinds(int64(read(unsafe.Pointer(&buffer), 16)), 1.5, 2.5)
}
