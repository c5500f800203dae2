//go:build !amd64 && !arm64 && !loong64 && !riscv64

package main

// Versions as for amd64: programs for these CPUs are linked, not run.

//go:cgo_import_dynamic libc_ffsll ffsll#GLIBC_2.2.5 "libc.so.6"
//go:cgo_import_dynamic libc_qsort_r qsort_r#GLIBC_2.8 "libc.so.6"
//go:cgo_import_dynamic libm_cos cos#GLIBC_2.2.5 "libm.so.6"
