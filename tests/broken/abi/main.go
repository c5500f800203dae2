// Command abi asks for a function by the wrong calling convention.
package main

import "strings"

func call()

func main() {
	println(strings.ToUpper("x"))
	call()
}
