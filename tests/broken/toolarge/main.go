// Command toolarge has variables that are too large together.
package main

var one, two, three [900_000_000]byte

func main() {
	one[5], two[6], three[7] = 1, 2, 3
	println(one[5] + two[6] + three[7])
}
