// Command minimal imports nothing.
package main

func main() { println("minimal") }
