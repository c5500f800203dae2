// Command hello is the smallest program anyone links.
package main

import "fmt"

func main() {
	fmt.Println("hello, world")
}
