// Functions that a WebAssembly host calls, and functions it lends to the program.
package main

import (
	"fmt"
	"os"
	"strings"
)

// A type of its own has methods that only reflection could reach.
type counter struct{ n int64 }

func (c *counter) add(n int64) int64 {
	c.n += n
	return c.n
}

var total counter

func main() {
	fmt.Println("sum", total.add(40), strings.Repeat("=", 4))
	if len(os.Args) > 1 {
		fmt.Println(hostCalls(int32(len(os.Args))))
	}
}
