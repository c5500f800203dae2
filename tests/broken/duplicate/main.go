// Command duplicate links two definitions of one symbol.
package main

import (
	"example.test/broken/duplicate/left"
	"example.test/broken/duplicate/right"
)

func main() { println(left.Routine(), right.Routine()) }
