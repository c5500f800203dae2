// Command symbols has names that are hard on symbol tables: Unicode, dots, quotes, long names, generated names.
package main

import (
	"fmt"
	"os"
	"reflect"
	"runtime"
	"strings"

	odd "example.test/programs/symbols/odd.path-v2"
	z "example.test/programs/symbols/x.y/z.v3"
)

type 日本語 struct{ 名前 string }

func (j 日本語) 挨拶() string { return "こんにちは " + j.名前 }

var µ, _π = 1e-6, 3.14

func aVeryLongFunctionNameThatGoesOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOn() string {
	counter, _, _, _ := runtime.Caller(0)
	return runtime.FuncForPC(counter).Name()
}

//go:noinline
func closureName() string {
	return func() string {
		return func() string {
			counter, _, _, _ := runtime.Caller(0)
			return runtime.FuncForPC(counter).Name()
		}()
	}()
}

func init() { _π++ }
func init() { _π-- }

func main() {
	fmt.Println(日本語{"世界"}.挨拶(), µ, _π)
	fmt.Println(odd.Var.Method())
	fmt.Println(odd.Type[struct{ A, 日 []日本語 }]{}.Method())
	fmt.Println(odd.New(12).Łength(), reflect.TypeOf(odd.New(1)))
	for _, value := range z.Local() {
		t := reflect.TypeOf(value)
		fmt.Printf("%v %q %+v\n", t, t.PkgPath(), value)
		if t.Kind() == reflect.Struct && t.NumField() > 2 {
			fmt.Println(t.Field(1).Tag, t.Field(2).Name, t.Field(2).Type)
		}
	}
	name := aVeryLongFunctionNameThatGoesOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOnAndOn()
	fmt.Println(len(name), closureName())
	if !strings.HasPrefix(name, "main.aVeryLong") || closureName() != "main.main.closureName.closureName.func1.func2" && !strings.HasPrefix(closureName(), "main.closureName.") {
		os.Exit(1)
	}
}
