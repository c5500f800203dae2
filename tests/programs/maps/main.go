// Command maps uses maps of many key and element types: hash functions, equality functions, map types.
package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
)

type point struct {
	x, y int32
	name string
}

type huge [200]byte

type key interface{ id() int }

type number int

func (n number) id() int { return int(n) }

func fill[K comparable, V any](count int, make1 func(int) (K, V)) int {
	table := map[K]V{}
	for index := range count {
		k, v := make1(index)
		table[k] = v
	}
	for index := range count / 2 {
		k, _ := make1(index)
		delete(table, k)
	}
	found := 0
	for index := range count {
		k, _ := make1(index)
		if _, ok := table[k]; ok {
			found++
		}
	}
	return found*1000 + len(table)
}

var static = map[[2]string]func(float64) float64{
	{"a", "b"}: func(x float64) float64 { return x * 2 },
	{"c", ""}:  func(x float64) float64 { return -x },
}

func main() {
	results := []int{
		fill(1000, func(i int) (int, string) { return i, fmt.Sprint(i) }),
		fill(1000, func(i int) (string, int) { return fmt.Sprint("key", i), i }),
		fill(1000, func(i int) (uint32, struct{}) { return uint32(i) << 8, struct{}{} }),
		fill(200, func(i int) (byte, huge) { return byte(i), huge{byte(i)} }),
		fill(1000, func(i int) (float64, []int) { return float64(i) / 3, nil }),
		fill(1000, func(i int) (point, *point) { return point{int32(i), -1, "p"}, nil }),
		fill(1000, func(i int) (huge, int) { return huge{byte(i), byte(i >> 8)}, i }),
		fill(1000, func(i int) (any, any) {
			if i%2 == 0 {
				return i, "even"
			}
			return fmt.Sprint(i), 1
		}),
		fill(1000, func(i int) (key, complex128) { return number(i), complex(1, float64(i)) }),
		fill(1000, func(i int) (complex64, map[string]int) { return complex(float32(i), 1), map[string]int{} }),
		fill(1000, func(i int) ([2]string, chan int) { return [2]string{"a", fmt.Sprint(i)}, nil }),
		fill(1000, func(i int) (struct {
			a bool
			_ int
			b any
		}, func()) {
			return struct {
				a bool
				_ int
				b any
			}{i%2 == 0, 9, i}, nil
		}),
	}
	counts := map[rune]int{}
	for _, letter := range "the quick brown fox" {
		counts[letter]++
	}
	letters := slices.Sorted(maps.Keys(counts))
	fmt.Println(results, string(letters), static[[2]string{"a", "b"}](4), len(static))
	clear(counts)
	for _, result := range results {
		if result != 500500 && result != 100100 {
			os.Exit(1)
		}
	}
	defer func() {
		fmt.Println("panics as it should:", recover())
	}()
	var bad any = []int{1}
	_ = map[any]int{bad: 1}
}
