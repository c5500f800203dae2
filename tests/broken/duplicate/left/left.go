// Package left defines a routine that another package defines, too.
package left

// Routine calls it.
func Routine() int
