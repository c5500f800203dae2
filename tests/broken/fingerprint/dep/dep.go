// Package dep has an interface that changes with a build tag.
package dep

// Value is always there.
func Value() int { return 1 }
