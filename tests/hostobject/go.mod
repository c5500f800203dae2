module example.test/hostobject

go 1.24
