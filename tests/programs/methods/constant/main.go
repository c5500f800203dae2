// Command constant calls a method by a constant name: methods of that name stay, others may go.
package main

import (
	"reflect"
)

// T has methods.
type T struct{ n int }

// First is called.
func (t T) First() string { return "first" }

// Second is dead.
func (t *T) Second(n int) int { return t.n + n }

// U has one of the same name.
type U []int

// First of U stays too.
func (u U) First() string { return "u" }

func main() {
	var values = []any{T{}, U{}}
	for _, value := range values {
		method := reflect.ValueOf(value).MethodByName("First")
		println(method.Call(nil)[0].String())
	}
}
