// Prints the expected values of DeflateVectors.cs: run it with the go command of the release to be followed,
// "go run vectors.go go127" with Go 1.27 and "go run vectors.go go123" with Go 1.23 to 1.26.
// TestData.cs makes the same inputs.

//go:build ignore

package main

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"fmt"
	"math/bits"
	"os"
)

type rng uint64

func (r *rng) next() uint64 {
	x := uint64(*r)
	x ^= x << 13
	x ^= x >> 7
	x ^= x << 17
	*r = rng(x)
	return x
}

func (r *rng) below(n uint64) int { return int((r.next() >> 16) % n) }

func word(out []byte, r *rng) []byte {
	i := r.below(97)
	for j := 0; j < 2+i%9; j++ {
		out = append(out, byte('a'+(i*7+j*3)%26))
	}
	return append(out, ' ')
}

func back(out []byte, distance, n int) []byte {
	for ; n > 0; n-- {
		out = append(out, out[len(out)-distance])
	}
	return out
}

func generate(pattern string, size int) []byte {
	r := rng(0x9E3779B97F4A7C15)
	out := make([]byte, 0, size+70000)
	for i := uint32(0); len(out) < size; i++ {
		switch pattern {
		case "zeros":
			out = append(out, 0)
		case "random":
			out = append(out, byte(r.next()>>32))
		case "words":
			out = word(out, &r)
		case "skewed":
			out = append(out, byte(bits.TrailingZeros64(r.next())))
		case "records":
			v := i*16 + uint32(r.below(4))
			out = append(out, byte(v), byte(v>>8), byte(v>>16), byte(v>>24), byte(r.below(5)), 7, byte(r.below(300)), 0, 0, byte(i%3))
		case "far":
			p := 32768 - 3 + r.below(7)
			for j := 0; j < p; j++ {
				out = append(out, byte(r.next()>>32))
			}
			out = back(out, p, 2*p)
		case "sparse":
			for j := 0; j < 64; j++ {
				out = append(out, byte(r.next()>>32))
			}
			out = back(out, 1+r.below(uint64(min(len(out), 40000))), 4+r.below(5))
		case "runs":
			out = append(out, byte(r.next()>>32))
			out = back(out, 1, 250+r.below(20))
		case "mixed":
			kind := r.below(6)
			n := 1<<r.below(15) + r.below(50)
			switch kind {
			case 0:
				for j := 0; j < n; j++ {
					out = append(out, byte(r.next()>>32))
				}
			case 1:
				out = append(out, byte(r.next()>>32))
				out = back(out, 1, n)
			case 2:
				for j := 0; j < n; j += 6 {
					out = word(out, &r)
				}
			case 3:
				if len(out) > 0 {
					out = back(out, 1+r.below(uint64(min(len(out), 40000))), n)
				}
			case 4:
				for j := 0; j < n; j++ {
					out = append(out, byte(bits.TrailingZeros64(r.next())))
				}
			case 5:
				for j := 0; j < n; j++ {
					out = append(out, byte(j*j>>4))
				}
			}
		default:
			panic(pattern)
		}
	}
	return out[:size]
}

func compress(data []byte, level int) string {
	var buf bytes.Buffer
	z, err := zlib.NewWriterLevel(&buf, level)
	if err != nil {
		panic(err)
	}
	z.Write(data)
	z.Close()
	sum := sha256.Sum256(buf.Bytes())
	return fmt.Sprintf("%d:%x", buf.Len(), sum[:8])
}

func main() {
	edges := []int{0, 1, 2, 16, 17, 32, 33, 127, 128, 129, 259, 1024, 5000, 32768, 32800, 65534, 65535, 65536, 65535 + 33, 65535 + 128, 131070, 131071, 300000}
	for _, pattern := range []string{"zeros", "random", "words", "skewed", "records", "far", "sparse", "runs", "mixed"} {
		sizes := edges
		if pattern == "far" {
			sizes = append(sizes, 700000)
		}
		if pattern == "mixed" || pattern == "records" {
			sizes = append(sizes, 1<<20, 5000000)
		}
		for _, size := range sizes {
			data := generate(pattern, size)
			fmt.Printf("%s %s %d %s %s\n", os.Args[1], pattern, size, compress(data, 1), compress(data, -1))
		}
	}
}
