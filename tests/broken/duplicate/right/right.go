// Package right defines a routine that another package defines, too.
package right

// Routine calls it.
func Routine() int
