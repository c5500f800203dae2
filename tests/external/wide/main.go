// Command wide has tables that are larger than what addends of relocations reach, and copies that call into the middle of a function.
package main

import "fmt"

type item struct {
	name  *string
	value int
}

var name = "x"
var table = [1 << 20]item{0: {&name, 1}, 1<<20 - 1: {&name, 2}}
var zeros [40 << 20]byte
var words = [3 << 20]uint64{5: 7, 3<<20 - 1: 9}

//go:noinline
func large() [70]int { return [70]int{3: 4} }

func main() {
	sum := 0
	for i := range table {
		sum += table[i].value
	}
	fmt.Println(sum, table[1<<19].value, table[1<<19+1], &table[1<<19+7].value, *table[1<<20-1].name)
	fmt.Println(&zeros[30<<20], zeros[9<<20], zeros[8<<20], words[2<<20], &words[1<<21+7], words[5])
	fmt.Println(large())
}
