// A program with a host object in its package: native.syso, which the suite makes from native.txt (C).
package main

import (
	"fmt"
	"os"
)

// nativeAdd calls the C function native_add.
func nativeAdd(a, b int64) int64

// nativeLookup calls the C function native_lookup, whose data needs relocations.
func nativeLookup(i int64) int64

func main() {
	if got := nativeAdd(40, 2); got != 42 {
		fmt.Println("native_add gives", got)
		os.Exit(1)
	}
	if len(os.Args) > 5 {
		fmt.Println(nativeLookup(int64(len(os.Args))))
	}
	fmt.Println("a host object's function was called")
}
