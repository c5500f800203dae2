// Command undefined calls functions that have no body anywhere.
package main

func missing(int) int

var table = []func(int) int{other}

func other(int) int

func main() { println(missing(1), table[0](2)) }
