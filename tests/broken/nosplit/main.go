// Command nosplit overflows the stack guard.
package main

func first()
func second()

//go:nosplit
func leaf() {
	var space [100]byte
	use(&space)
}

//go:nosplit
//go:noinline
func use(space *[100]byte) { space[1] = 2 }

func main() { first() }
