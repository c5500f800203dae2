// Package hidden is reached by linkname from outside.
package hidden

import _ "unsafe" // for go:linkname

var secret = 41

//go:linkname pushed example.test/programs/linknames.pulled
func pushed(value int) int { return value + secret }

//go:linkname shared
func shared() string { return "shared" }

// Bump changes the hidden variable.
func Bump() { secret++ }
