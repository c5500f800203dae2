// Command external is half C: calls in both directions, from several threads, errno, a variable and a library of C.
package main

/*
#cgo LDFLAGS: -lm
#include <errno.h>
#include <math.h>

extern int counter;
int callBack(int n);

static int fails(int x) {
	if (x < 0) {
		errno = EDOM;
		return -1;
	}
	return x;
}

static double root(double x) { return sqrt(x) + cos(x); }
*/
import "C"

import (
	"errors"
	"fmt"
	"net"
	"os/user"
	"sync"
	"syscall"
)

//export goCallback
func goCallback(n C.int, s *C.char) C.int {
	if C.GoString(s) != "from C" {
		panic("a string of C got lost")
	}
	return n * 2
}

//export Sum
func Sum(a, b C.int) C.int { return a + b }

func main() {
	if got := C.callBack(21); got != 42 {
		panic(fmt.Sprint("callback: ", got))
	}
	if got := float64(C.root(4)); got < 1.34 || got > 1.35 {
		panic(fmt.Sprint("root: ", got))
	}
	if C.counter != 41 {
		panic(fmt.Sprint("variable: ", C.counter))
	}
	if _, err := C.fails(-1); !errors.Is(err, syscall.EDOM) {
		panic(fmt.Sprint("errno: ", err))
	}
	var group sync.WaitGroup
	for range 8 {
		group.Add(1)
		go func() {
			defer group.Done()
			C.callBack(1)
		}()
	}
	group.Wait()
	// Both have C's way to look things up.
	_, _ = user.Current()
	_, _ = net.LookupHost("localhost")
	fmt.Println("C and Go")
}
