// Package second records when it is initialised.
package second

import (
	"example.test/programs/initorder/trace"

	_ "example.test/programs/initorder/third"
)

// Value depends on other initialisers of this package, in an order that only the dependencies tell.
var Value = late() + early

var early = trace.Note("second early")

func late() int { return trace.Note("second late") + middle }

var middle = func() int { return trace.Note("second middle") }()

func init() { trace.Note("second init 1") }

func init() { trace.Note("second init 2") }

// Table is large enough for an outlined map initialiser.
var Table = map[string]int{"second": Value, "a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "h": 8, "i": 9, "j": 10,
	"k": 11, "l": 12, "m": 13, "n": 14, "o": 15, "p": 16, "q": 17, "r": 18, "s": 19, "t": 20, "u": 21, "v": 22, "w": 23,
	"x": 24, "y": 25, "z": 26, "aa": 27, "bb": 28, "cc": 29, "dd": 30, "ee": 31, "ff": 32, "gg": 33, "hh": 34}

// Unused is pruned together with its initialiser.
var Unused = map[string][]string{"a": {"1"}, "b": {"2"}, "c": {"3"}, "d": {"4"}, "e": {"5"}, "f": {"6"}, "g": {"7"},
	"h": {"8"}, "i": {"9"}, "j": {"10"}, "k": {"11"}, "l": {"12"}, "m": {"13"}, "n": {"14"}, "o": {"15"}, "p": {"16"}}
