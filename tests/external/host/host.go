// Command host loads the plugins that it is given, and uses them.
package main

import (
	"fmt"
	"os"
	"plugin"

	"example.test/external/common"
)

type local struct{ n int }

// Greet makes local a common.Greeter, too.
func (l local) Greet(name string) string { return fmt.Sprint(name, l.n) }

func main() {
	var greeters []common.Greeter = []common.Greeter{local{n: 1}}
	for _, path := range os.Args[1:] {
		p, err := plugin.Open(path)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		find := func(name string) plugin.Symbol {
			s, err := p.Lookup(name)
			if err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
			return s
		}
		*find("Variable").(*int) += 2
		fmt.Println(find("Add").(func(int) int)(0))
		greeters = append(greeters, find("New").(func(string) common.Greeter)("hello"))
		fmt.Println(find("Describe").(func(any) string)(common.Pair[string, local]{Key: "k", Value: local{n: 2}}))
		fmt.Println((*find("Map").(*map[string]common.Pair[string, int]))["two"])
		fmt.Println(find("Recovers").(func() error)())
		if _, err := p.Lookup("Missing"); err == nil {
			fmt.Println("there is no such symbol")
			os.Exit(1)
		}
	}
	for _, g := range greeters {
		fmt.Println(g.Greet("world"))
	}
	fmt.Println(common.Calls, len(common.Names))
}
