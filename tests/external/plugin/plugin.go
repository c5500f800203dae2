// A plugin: functions, variables, types of its own and of a package that it shares with the program.
package main

import (
	"errors"
	"fmt"
	"reflect"

	"example.test/external/common"
)

import "C"

type greeter struct{ greeting string }

func (g *greeter) Greet(name string) string {
	common.Calls++
	return g.greeting + ", " + name
}

// Text may be set by the linker.
var Text = "text"

// Variable is changed by the program.
var Variable = 40

// Map is initialised at load.
var Map = map[string]common.Pair[string, int]{"one": {Key: "eins", Value: 1}, "two": {Key: "zwei", Value: 2}}

// Err is compared by identity.
var Err = errors.New("of the plugin")

// New returns what the program knows by its interface only.
func New(greeting string) common.Greeter { return &greeter{greeting: greeting} }

// Add uses the variable.
func Add(n int) int { return Variable + n }

// Describe reflects on a value of the program.
func Describe(v any) string {
	t := reflect.TypeOf(v)
	return fmt.Sprint(t, " ", t.NumMethod(), " ", v)
}

// Recovers panics and recovers across its own frames.
func Recovers() (err error) {
	defer func() { err = fmt.Errorf("recovered %v: %w", recover(), Err) }()
	var none []int
	return fmt.Errorf("%d", none[Variable])
}

func main() {}
