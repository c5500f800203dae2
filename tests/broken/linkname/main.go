// Command linkname reaches for symbols that the runtime does not offer.
package main

import _ "unsafe" // for go:linkname

//go:linkname schedinit runtime.schedinit
func schedinit()

//go:linkname allgs runtime.allgs
var allgs []uintptr

func main() {
	if len(allgs) > 1<<20 {
		schedinit()
	}
}
