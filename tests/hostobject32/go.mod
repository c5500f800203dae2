module example.test/hostobject32

go 1.24
