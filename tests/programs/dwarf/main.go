// Command dwarf has everything that debug information describes: types of every kind, scopes, inlining, constants, globals.
package main

import (
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"os"
	"strings"
	"unsafe"
)

// Constants of several types.
const (
	Answer   = 42
	Pi       = 3.14159
	Greeting = "hi"
	Flag     = true
	Big      = 1 << 62
)

// Kind is an enumeration.
type Kind uint8

// The kinds.
const (
	One Kind = iota + 1
	Two
	Three
)

type list struct {
	next  *list
	prev  **list
	items [4]struct {
		key   string
		value any
	}
	table   map[string]chan []func(int) error
	send    chan<- int
	receive <-chan Kind
	errors  []error
	empty   struct{}
	raw     unsafe.Pointer
	word    uintptr
	number  complex128
	letter  rune
	small   int8
	half    float32
}

type alias = list
type generic[K comparable, V any] struct {
	pairs map[K]V
	inner *generic[K, V]
	other V2[K]
}

// V2 wraps.
type V2[T any] struct{ value T }

var (
	// Global variables of many types.
	Global    alias
	Generic   generic[string, []int]
	Function  func(list, ...*Kind) (a, b int)
	Interface interface {
		fmt.Stringer
		extra(Kind)
	}
	Array [3][4]Kind
)

func small(a, b int) int { return a*b + Answer }

func medium(x int) (result int) {
	for i := 0; i < x; i++ {
		y := small(i, x)
		{
			z := small(y, i)
			if z > 100 {
				w := z - 100
				result += w
				continue
			}
			result += z
		}
	}
	return
}

//go:noinline
func scopes(n int, text string, values ...float64) (total float64, err error) {
	defer func() { total += float64(len(text)) }()
	for index, value := range values {
		switch kind := Kind(index); {
		case kind == Two:
			captured := value
			func() { total += captured * float64(medium(n)) }()
		default:
			total += value
		}
	}
	return total, nil
}

func main() {
	total, err := scopes(5, "text", 1, 2, 3)
	fmt.Println(total, err, Global.small, len(Generic.pairs), Function == nil, Interface == nil, Array[1][2])

	// Reads its own debug information, where the linker has left it.
	path, err := os.Executable()
	if err != nil {
		return
	}
	file, err := elf.Open(path)
	if err != nil {
		return
	}
	defer file.Close()
	data, err := file.DWARF()
	if err != nil {
		fmt.Println("no debug information")
		return
	}
	found := map[string]bool{}
	reader := data.Reader()
	for {
		entry, err := reader.Next()
		if err != nil {
			fmt.Println("debug information is broken:", err)
			os.Exit(1)
		}
		if entry == nil {
			break
		}
		if name, ok := entry.Val(dwarf.AttrName).(string); ok {
			for _, wanted := range []string{"main.small", "main.scopes", "main.Global", "main.list", "main.Answer", "main.Kind"} {
				if name == wanted {
					found[wanted+" "+strings.TrimPrefix(entry.Tag.String(), "Tag")] = true
				}
			}
		}
	}
	fmt.Println(len(found))
	if symbols, err := file.Symbols(); err == nil {
		fmt.Println("symbols", len(symbols) > 1000)
	}
}
