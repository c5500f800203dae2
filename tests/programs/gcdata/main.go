// Command gcdata has large static data with and without pointers: GC masks, GC programs, bss, noptr sections, alignment.
package main

import (
	"fmt"
	"os"
	"runtime"
)

type cell struct {
	name  string
	next  *cell
	count int
	tail  [3]any
}

type wide struct {
	numbers [1000]int64
	pointer *int
	rest    [777]byte
	cells   [16]cell
}

var (
	bigPointers  [1 << 14]*int
	bigMixed     [2000]cell
	bigWide      [40]wide
	bigBytes     [1 << 20]byte
	bigInts      [1 << 15]uint32
	oneByte      byte  = 3
	oneShort     int16 = -7
	oneFloat           = 2.5
	constants          = [...]float64{1, 2.5, -1e300, 0x1p-1074}
	initialised        = [64]cell{{name: "zero", count: 1}, 5: {name: "five", next: &bigMixed[7]}, 63: {name: "last", tail: [3]any{1, "x", 2.5}}}
	pointerTable       = [...]*byte{&bigBytes[0], &bigBytes[1], &bigBytes[1<<20-1], &oneByte}
	functions          = [...]func() int{func() int { return 1 }, one, cellCount}
	slices             = [][]int{{1, 2, 3}, {4}, nil, {}}
	nested             = map[string]map[int][]string{"a": {1: {"x", "y"}}, "b": nil}
	interfaces         = []any{1, "two", 3.0, struct{ a, b int }{4, 5}, [2]string{"s", "t"}, &oneFloat, fmt.Stringer(nil)}
	complexes          = [...]complex128{1 + 2i, -3i}
	readonly           = [...]struct {
		key   string
		value uint16
	}{{"alpha", 1}, {"beta", 2}, {"gamma", 3}}
)

func one() int { return 1 }

func cellCount() int { return len(bigMixed) }

//go:noinline
func touch(index int) *int {
	value := new(int)
	*value = index
	return value
}

func main() {
	for index := range bigPointers {
		bigPointers[index] = touch(index)
	}
	for index := range bigMixed {
		bigMixed[index] = cell{name: fmt.Sprint("cell ", index), next: &bigMixed[(index+1)%len(bigMixed)], tail: [3]any{touch(index)}}
	}
	for index := range bigWide {
		bigWide[index].pointer = touch(index)
		bigWide[index].cells[15].tail[2] = touch(-index)
	}
	heap := make([]wide, 30)
	for index := range heap {
		heap[index].pointer = touch(index)
		heap[index].cells[3].next = &cell{name: "deep"}
	}
	for range 3 {
		runtime.GC()
		garbage := make([][]byte, 1000)
		for index := range garbage {
			garbage[index] = make([]byte, 5000)
		}
	}
	sum := 0
	for index := range bigPointers {
		sum += *bigPointers[index]
	}
	for index := range bigMixed {
		sum += *bigMixed[index].tail[0].(*int) + len(bigMixed[index].next.name)
	}
	for index := range bigWide {
		sum += *bigWide[index].pointer + *bigWide[index].cells[15].tail[2].(*int)
	}
	for index := range heap {
		sum += *heap[index].pointer + len(heap[index].cells[3].next.name)
	}
	for _, function := range functions {
		sum += function()
	}
	*pointerTable[2] = 9
	bigInts[77] = 5
	fmt.Println(sum, bigBytes[1<<20-1], initialised[63].tail, initialised[5].next == &bigMixed[7], nested["a"][1], slices, complexes, readonly, constants, oneShort, len(interfaces))
	if sum != 134209536+1999000+16890+435+120+1+1+2000 {
		fmt.Println("wrong sum")
		os.Exit(1)
	}
}
