// Command initorder depends on the order of package and variable initialisation.
package main

import (
	"fmt"
	"os"
	"strings"

	"example.test/programs/initorder/first"
	"example.test/programs/initorder/second"
	"example.test/programs/initorder/third"
	"example.test/programs/initorder/trace"
)

var total = first.Value + second.Value + third.Value

func init() { trace.Note("main init") }

func main() {
	got := strings.Join(trace.Log, ",")
	var want []string
	for _, name := range []string{"third", "second", "first"} {
		for _, step := range []string{"early", "middle", "late", "init 1", "init 2"} {
			want = append(want, name+" "+step)
		}
	}
	fmt.Println(got)
	fmt.Println(total, first.Table["first"], second.Table["second"], len(third.Table))
	if got != strings.Join(append(want, "main init"), ",") {
		os.Exit(1)
	}
}
