// Command generics has many instantiations: dictionaries, shape types, duplicated symbols across packages.
package main

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
)

// Number is anything that adds up.
type Number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// Sum adds.
func Sum[T Number](values ...T) (total T) {
	for _, value := range values {
		total += value
	}
	return total
}

// Tree is an ordered tree.
type Tree[K cmp.Ordered, V any] struct {
	root *node[K, V]
	size atomic.Int64
}

type node[K cmp.Ordered, V any] struct {
	key         K
	value       V
	left, right *node[K, V]
}

// Put adds or replaces.
func (t *Tree[K, V]) Put(key K, value V) {
	place := &t.root
	for *place != nil {
		switch cmp.Compare(key, (*place).key) {
		case 0:
			(*place).value = value
			return
		case -1:
			place = &(*place).left
		default:
			place = &(*place).right
		}
	}
	*place = &node[K, V]{key: key, value: value}
	t.size.Add(1)
}

// All goes through the tree in order.
func (t *Tree[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) { t.root.walk(yield) }
}

func (n *node[K, V]) walk(yield func(K, V) bool) bool {
	return n == nil || n.left.walk(yield) && yield(n.key, n.value) && n.right.walk(yield)
}

// String makes every instantiation a fmt.Stringer.
func (t *Tree[K, V]) String() string {
	var text strings.Builder
	for key, value := range t.All() {
		fmt.Fprintf(&text, "%v:%v ", key, value)
	}
	return text.String()
}

// Pair, List and Option nest.
type Pair[A, B any] struct {
	First  A
	Second B
}

// Swap returns the other type.
func (p Pair[A, B]) Swap() Pair[B, A] { return Pair[B, A]{p.Second, p.First} }

// Option may be empty.
type Option[T any] struct {
	value T
	ok    bool
}

// Some wraps.
func Some[T any](value T) Option[T] { return Option[T]{value, true} }

// Get unwraps.
func (o Option[T]) Get() (T, error) {
	if !o.ok {
		return o.value, errors.New("empty")
	}
	return o.value, nil
}

// Map changes the type of what is inside.
func Map[T, U any](values []T, change func(T) U) []U {
	result := make([]U, 0, len(values))
	for _, value := range values {
		result = append(result, change(value))
	}
	return result
}

// Set is a generic alias of a map.
type Set[T comparable] = map[T]struct{}

type celsius float32
type meters int16

type shape interface {
	comparable
	Area() float64
}
type square struct{ side float64 }
type circle struct{ radius float64 }

func (s square) Area() float64 { return s.side * s.side }
func (c circle) Area() float64 { return 3 * c.radius * c.radius }

func largest[S shape](shapes ...S) S {
	return slices.MaxFunc(shapes, func(a, b S) int { return cmp.Compare(a.Area(), b.Area()) })
}

func recursive[T any](depth int, value T) string {
	if depth == 0 {
		return fmt.Sprintf("%T", value)
	}
	return recursive(depth-1, value) + "|" + fmt.Sprintf("%T", Some(Pair[T, int]{value, depth}))
}

func main() {
	fmt.Println(Sum(1, 2, 3), Sum(1.5, 2.5), Sum[int8](100, 27), Sum[celsius](1, 2), Sum[meters](3, 4), Sum[uint64](1<<40, 1))
	ints := &Tree[int, string]{}
	texts := &Tree[string, []Pair[int, float64]]{}
	temperatures := &Tree[celsius, *Tree[int, string]]{}
	for index, word := range strings.Fields("the quick brown fox jumps over the lazy dog") {
		ints.Put(len(word)*10+index, word)
		texts.Put(word, append([]Pair[int, float64]{}, Pair[int, float64]{index, float64(len(word))}))
		temperatures.Put(celsius(index), ints)
	}
	fmt.Println(ints, ints.size.Load())
	fmt.Println(texts, texts.size.Load())
	fmt.Println(temperatures.size.Load())
	fmt.Println(Pair[string, error]{"x", errors.ErrUnsupported}.Swap())
	fmt.Println(Some(Pair[Option[int], Set[string]]{Some(3), Set[string]{"k": {}}}).Get())
	fmt.Println(Option[chan func(square) circle]{}.Get())
	fmt.Println(Map(slices.Sorted(maps.Keys(Set[string]{"b": {}, "a": {}})), func(s string) Pair[string, int] { return Pair[string, int]{s, len(s)} }))
	fmt.Println(largest(square{2}, square{3}), largest(circle{1}, circle{4}))
	fmt.Println(recursive(3, struct {
		A int `json:"a b"`
		_ [2]func(string, ...any) (int, error)
	}{}))
}
