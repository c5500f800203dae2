#include <string.h>
#include "_cgo_export.h"

int counter = 41;

int callBack(int n) {
	char text[32];
	strcpy(text, "from C");
	return goCallback(n, text);
}
