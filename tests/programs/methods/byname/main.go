// Command byname calls a method by a name that the linker can't know: every exported method stays.
package main

import (
	"fmt"
	"os"
	"reflect"
)

// T has methods.
type T struct{ n int }

// First is called.
func (t T) First() string { return "first" }

// Second could be.
func (t *T) Second(n int) int { return t.n + n }

func main() {
	name := "First"
	if len(os.Args) > 1 {
		name = os.Args[1]
	}
	fmt.Println(reflect.ValueOf(T{}).MethodByName(name).Call(nil)[0])
}
