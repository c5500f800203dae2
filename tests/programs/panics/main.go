// Command panics prints tracebacks: function tables, line tables, inline trees, argument maps, build information.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
)

func inlined(depth int) []string { return frames(depth) }

func frames(skip int) (names []string) {
	counters := make([]uintptr, 50)
	list := runtime.CallersFrames(counters[:runtime.Callers(skip, counters)])
	for {
		frame, more := list.Next()
		names = append(names, fmt.Sprintf("%s %s:%d", frame.Function, filepath.Base(frame.File), frame.Line))
		if !more {
			return names
		}
	}
}

type receiver[T any] struct{ value T }

func (r *receiver[T]) method(depth int) []string {
	if depth > 0 {
		return r.method(depth - 1)
	}
	return func() []string { return inlined(1) }()
}

//go:noinline
func crash(values []int, index int) (text string) {
	defer func() {
		cause := recover()
		stack := string(debug.Stack())
		text = fmt.Sprint(cause, " ", strings.Contains(stack, "main.crash("), strings.Contains(stack, "main.go:"))
		if failure, ok := cause.(runtime.Error); ok {
			text += " " + failure.Error()
		}
	}()
	return fmt.Sprint(values[index])
}

func main() {
	for _, line := range (&receiver[string]{}).method(2) {
		if strings.HasPrefix(line, "main.") {
			fmt.Println(line)
		}
	}
	fmt.Println(crash([]int{1}, 0), crash([]int{1}, 5))
	var table map[string]int
	func() {
		defer func() { fmt.Println(recover()) }()
		table["x"] = 1
	}()
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Path != "example.test/programs" {
		fmt.Println("no build information")
		os.Exit(1)
	}
	fmt.Println(info.Path, runtime.Version() == info.GoVersion, runtime.GOOS, runtime.GOARCH)
	if len(os.Args) > 1 {
		var pointer *receiver[int]
		pointer.value = len(os.Args)
	}
}
