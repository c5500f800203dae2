// Command linkshared is linked against a shared library that has the runtime.
package main

import (
	"runtime"
	"sync/atomic"
)

type node struct {
	next *node
	name string
	v    any
}

// What these hold is described by the library's types.
var (
	counter atomic.Int64
	value   atomic.Value
	values  [5]atomic.Value
	frames  [3]runtime.Frames
	mixed   struct {
		n      int
		frames [2]runtime.Frames
		err    runtime.Error
		list   atomic.Pointer[node]
	}
	table = map[string]*node{"a": {name: "a"}}
)

func check(ok bool, what string) {
	if !ok {
		panic(what)
	}
}

func main() {
	for _, name := range []string{"x", "y"} {
		mixed.list.Store(&node{next: mixed.list.Load(), name: name, v: name + "!"})
		counter.Add(1)
	}
	value.Store(table)
	values[4].Store(mixed.list.Load())
	var pcs [8]uintptr
	frames[1] = *runtime.CallersFrames(pcs[:runtime.Callers(0, pcs[:])])
	runtime.GC()
	frame, _ := frames[1].Next()
	check(frame.Function == "runtime.Callers", frame.Function)
	check(value.Load().(map[string]*node)["a"].name == "a", "map")
	check(values[4].Load().(*node).v.(string) == "y!", "list")
	defer func() {
		mixed.err = recover().(runtime.Error)
		println("recovered", counter.Load(), mixed.err.Error())
	}()
	var none *node
	none.name = "crash"
}
