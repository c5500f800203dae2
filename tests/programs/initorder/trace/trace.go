// Package trace collects what happened, in order.
package trace

// Log holds the notes.
var Log []string

// Note adds one and returns how many there are.
func Note(text string) int {
	Log = append(Log, text)
	return len(Log)
}
