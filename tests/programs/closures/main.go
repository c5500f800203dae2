// Command closures: closures, method values and expressions, defer, recover, deep inlining, wrappers.
package main

import (
	"fmt"
	"os"
	"sort"
	"strings"
)

type counter struct{ value int }

func (c *counter) add(n int) *counter { c.value += n; return c }
func (c counter) get() int            { return c.value }

type adder interface{ add(int) *counter }

func fibonacci() func() int {
	a, b := 0, 1
	return func() int {
		defer func() { a, b = b, a+b }()
		return a
	}
}

func compose(functions ...func(int) int) func(int) int {
	return func(value int) int {
		for _, function := range functions {
			value = function(value)
		}
		return value
	}
}

func protect(work func()) (text string) {
	defer func() {
		if cause := recover(); cause != nil {
			text = fmt.Sprint("recovered: ", cause)
		}
	}()
	for index := range 3 {
		defer func() { text += fmt.Sprint(" d", index) }()
	}
	work()
	return "done"
}

func recursive(n int) int {
	var inner func(int) int
	inner = func(m int) int {
		if m <= 1 {
			return 1
		}
		return m * inner(m-1)
	}
	return inner(n)
}

var global = func() func(string) string {
	cache := map[string]string{}
	return func(key string) string {
		if value, ok := cache[key]; ok {
			return value + "!"
		}
		cache[key] = strings.Repeat(key, 2)
		return cache[key]
	}
}()

func sequence(limit int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for index := 0; index < limit && yield(index); index++ {
		}
	}
}

func labels() (text string) {
outer:
	for a := range sequence(5) {
		for b := range sequence(5) {
			defer func() { text += fmt.Sprint(a, b, ";") }()
			if a == 2 && b == 1 {
				break outer
			}
			if b == 1 {
				continue outer
			}
		}
	}
	return "seq:"
}

func main() {
	next := fibonacci()
	var numbers []int
	for range 10 {
		numbers = append(numbers, next())
	}
	c := &counter{}
	bound, expression, byInterface := c.add, (*counter).add, adder.add
	bound(1)
	expression(c, 2)
	byInterface(c, 3)
	value := counter.get
	get := c.get
	c.add(100)
	fmt.Println(numbers, c.value, value(*c), get())
	fmt.Println(compose(func(x int) int { return x + 1 }, recursive, func(x int) int { return x * c.value })(4))
	fmt.Println(protect(func() {}), "|", protect(func() { panic("oh") }), "|", protect(func() { var p *counter; p.value = 1 }), "|", protect(func() { _ = numbers[len(numbers)] }))
	fmt.Println(global("ab"), global("ab"), labels())
	words := strings.Fields("delta alpha charlie bravo")
	sort.Slice(words, func(a, b int) bool { return words[a] < words[b] })
	go func(text ...string) { _ = text }(words...)
	if fmt.Sprint(words, c.value) != "[alpha bravo charlie delta] 106" {
		os.Exit(1)
	}
}
