// Command embedded carries files in the executable.
package main

import (
	"crypto/sha256"
	"embed"
	"fmt"
	"io/fs"
	"os"
)

//go:embed files all:files
var tree embed.FS

//go:embed files/one.txt
var text string

//go:embed files/two.bin
var data []byte

//go:embed main.go
var source []byte

func main() {
	err := fs.WalkDir(tree, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := tree.ReadFile(path)
		fmt.Printf("%s %d %x\n", path, len(content), sha256.Sum256(content))
		return err
	})
	if err != nil || text != "first file\n" || len(data) != 10 || len(source) < 100 {
		fmt.Println("embedded files are wrong:", err, len(text), len(data), len(source))
		os.Exit(1)
	}
	data[0] = 7 // []byte contents are writable
	fmt.Println(text, data)
}
