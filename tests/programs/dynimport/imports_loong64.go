package main

// Versions of the C library that first had these functions differ between CPUs.

//go:cgo_import_dynamic libc_ffsll ffsll#GLIBC_2.36 "libc.so.6"
//go:cgo_import_dynamic libc_qsort_r qsort_r#GLIBC_2.36 "libc.so.6"
//go:cgo_import_dynamic libm_cos cos#GLIBC_2.36 "libm.so.6"
