//go:build !wasm

package main

func hostCalls(n int32) int64 { return int64(n) }
