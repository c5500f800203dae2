// Command none calls methods through interfaces only: those that no interface asks for are dead.
package main

import "os"

type speaker interface{ Speak() string }

// T has methods.
type T struct{ n int }

// Speak is called through the interface.
func (t T) Speak() string { return "speak" }

// Dead is not.
func (t T) Dead() string { return "dead" }

// Generic types have methods, too.
type Generic[E any] struct{ element E }

// Speak is called through the interface.
func (g *Generic[E]) Speak() string { return "generic" }

// Dead is not.
func (g *Generic[E]) Dead() E { return g.element }

func main() {
	for _, s := range []speaker{T{}, &Generic[int]{}, &Generic[chan string]{}} {
		os.Stdout.WriteString(s.Speak() + "\n")
	}
}
