// Package z has dots in every part of its path.
package z

import "fmt"

// Local types in functions get numbered names.
func Local() (result []any) {
	type inner struct{ a int }
	result = append(result, inner{1})
	{
		type inner struct{ b string }
		result = append(result, inner{"x"}, func() any {
			type array [3]inner
			return array{{"y"}}
		}())
	}
	return append(result, struct {
		fmt.Stringer
		_ int `tag:"quoted \"text\" and \\ backslash"`
		é map[struct{ ö string }]func(interface{ m(...any) }) <-chan chan<- int
	}{})
}
