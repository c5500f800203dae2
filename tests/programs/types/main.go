// Command types has many types, methods and interfaces: type links, itabs, type switches, conversions, reflection by type.
package main

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"sort"
	"strings"
	"unsafe"
)

// Animal and its embedded interfaces.
type Animal interface {
	Named
	fmt.Stringer
	Sound() string
}

// Named has a name.
type Named interface{ Name() string }

type base struct{ name string }

func (b *base) Name() string    { return b.name }
func (b base) String() string   { return "a " + b.name }
func (b base) unexported() bool { return true }

type dog struct {
	*base
	age int
}
type cat struct{ base }
type puppy struct{ dog }
type robot struct {
	io.Reader
	fmt.Stringer
}

func (dog) Sound() string     { return "wau" }
func (c *cat) Sound() string  { return "miau" }
func (p puppy) Sound() string { return strings.ToUpper(p.dog.Sound()) }

type celsius float64

func (c celsius) String() string               { return fmt.Sprintf("%.1f°", float64(c)) }
func (c celsius) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

type fault struct{ code int }

func (f *fault) Error() string        { return fmt.Sprint("fault ", f.code) }
func (f *fault) Is(target error) bool { return target == io.EOF }

type visitor func(int) visitor

func (v visitor) Visit(n int) visitor { return v(n) }

type tagged struct {
	A    int    `json:"a,omitempty" db:"column \"a\""`
	B    []byte `json:"b"`
	C    map[string]*tagged
	D    [3]struct{ X, Y int8 }
	E    chan<- (<-chan int)
	F    func(int, ...string) (bool, error)
	G    interface{ private() }
	H    unsafe.Pointer
	I    uintptr
	J    complex64
	base `json:"-"`
}

func kind(value any) string {
	switch v := value.(type) {
	case nil:
		return "nil"
	case Animal:
		return "animal " + v.Name() + " " + v.Sound() + " " + v.String()
	case encoding.TextMarshaler:
		text, _ := v.MarshalText()
		return "text " + string(text)
	case error:
		return "error " + v.Error()
	case interface{ unexported() bool }:
		return "unexported"
	case []int, [2]int, map[int]int:
		return fmt.Sprintf("numbers %v", v)
	case func() string:
		return v()
	case io.ReadWriter:
		return "readwriter"
	}
	return fmt.Sprintf("%T", value)
}

func main() {
	rex := dog{&base{"rex"}, 3}
	values := []any{nil, rex, &cat{base{"tom"}}, puppy{rex}, base{"x"}, celsius(36.6), &fault{7}, []int{1}, [2]int{1, 2}, map[int]int{3: 4},
		func() string { return "func" }, &bytes.Buffer{}, struct{}{}, tagged{}, visitor(nil), robot{}, new(any), [0]int{}}
	for _, value := range values {
		fmt.Println(kind(value))
	}
	fmt.Println(errors.Is(fmt.Errorf("wrapped: %w", &fault{1}), io.EOF))

	// Types that exist in the program and are found through the type links.
	for _, t := range []reflect.Type{
		reflect.SliceOf(reflect.TypeFor[tagged]()), reflect.PointerTo(reflect.TypeFor[dog]()), reflect.MapOf(reflect.TypeFor[string](), reflect.TypeFor[*tagged]()),
		reflect.ArrayOf(3, reflect.TypeFor[struct{ X, Y int8 }]()), reflect.ChanOf(reflect.SendDir, reflect.TypeFor[<-chan int]()),
		reflect.FuncOf([]reflect.Type{reflect.TypeFor[int](), reflect.TypeFor[[]string]()}, []reflect.Type{reflect.TypeFor[bool](), reflect.TypeFor[error]()}, true),
	} {
		fmt.Println(t, t.Size())
	}
	fmt.Println(reflect.TypeFor[func(int, ...string) (bool, error)]() == reflect.TypeOf(tagged{}.F))

	t := reflect.TypeFor[tagged]()
	for index := range t.NumField() {
		field := t.Field(index)
		fmt.Println(field.Name, field.Type, field.Tag, field.Offset, field.Anonymous, field.PkgPath)
	}
	for _, value := range []any{rex, &cat{}, puppy{}, celsius(0), visitor(nil)} {
		methods := reflect.TypeOf(value)
		var names []string
		for index := range methods.NumMethod() {
			names = append(names, methods.Method(index).Name)
		}
		sort.Strings(names)
		fmt.Println(methods, methods.PkgPath(), names)
	}
	encoded, err := json.Marshal(map[string]any{"t": celsius(1), "n": []any{nil, 1, "x"}, "s": tagged{A: 1, B: []byte("b")}.D})
	fmt.Println(string(encoded), err)
	if len(values) != 18 {
		os.Exit(1)
	}
}
