// Command many has more errors than a linker shows.
package main

func missing1() int
func missing2() int
func missing3() int
func missing4() int
func missing5() int
func missing6() int
func missing7() int
func missing8() int
func missing9() int
func missing10() int
func missing11() int
func missing12() int
func missing13() int
func missing14() int
func missing15() int
func missing16() int
func missing17() int
func missing18() int
func missing19() int
func missing20() int
func missing21() int
func missing22() int
func missing23() int
func missing24() int
func missing25() int
func missing26() int
func missing27() int
func missing28() int
func missing29() int
func missing30() int

func main() {
	println(missing1())
	println(missing2())
	println(missing3())
	println(missing4())
	println(missing5())
	println(missing6())
	println(missing7())
	println(missing8())
	println(missing9())
	println(missing10())
	println(missing11())
	println(missing12())
	println(missing13())
	println(missing14())
	println(missing15())
	println(missing16())
	println(missing17())
	println(missing18())
	println(missing19())
	println(missing20())
	println(missing21())
	println(missing22())
	println(missing23())
	println(missing24())
	println(missing25())
	println(missing26())
	println(missing27())
	println(missing28())
	println(missing29())
	println(missing30())
}
