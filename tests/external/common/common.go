// Package common is what a plugin and the program that loads it share.
package common

import "fmt"

// Greeter is implemented on both sides.
type Greeter interface {
	Greet(name string) string
}

// Pair is instantiated by both with the same and with different types.
type Pair[K comparable, V any] struct {
	Key   K
	Value V
}

// String shows both.
func (p Pair[K, V]) String() string { return fmt.Sprintf("%v: %v", p.Key, p.Value) }

// Calls counts across modules.
var Calls int

// Names has an initialiser of its own, which the compiler may outline.
var Names = map[string]int{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "h": 8, "i": 9, "j": 10}
