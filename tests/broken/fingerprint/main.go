// Command fingerprint is linked with another build of its dependency than it was compiled with.
package main

import "example.test/broken/fingerprint/dep"

func main() { println(dep.Value()) }
