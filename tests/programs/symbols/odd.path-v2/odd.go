// Package odd has a path that symbol names must escape.
package odd

// Type has a method.
type Type[T any] struct{ Value T }

// Method of it.
func (t Type[T]) Method() (T, string) { return t.Value, "odd" }

// Var is a variable.
var Var = Type[string]{"v"}

type größe struct{ 长 int }

func (g größe) Łength() int { return g.长 }

// New returns something that can't be named.
func New(n int) interface{ Łength() int } { return größe{n} }
