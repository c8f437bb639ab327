package main

import (
	"strings"
	"testing"
)

func TestSum(t *testing.T) {
	t.Parallel()
	const events = `{"Action":"run","Package":"p","Test":"A"}
{"Action":"run","Package":"p","Test":"A/one"}
{"Action":"run","Package":"p","Test":"A/two"}
{"Action":"output","Package":"p","Test":"A/two","Output":"two is wrong\n"}
{"Action":"pass","Package":"p","Test":"A/one"}
{"Action":"fail","Package":"p","Test":"A/two"}
{"Action":"fail","Package":"p","Test":"A"}
{"Action":"fail","Package":"p","Elapsed":1}
{"Action":"output","Package":"q","Output":"does not build\n"}
{"Action":"fail","Package":"q"}
{"Action":"run","Package":"s","Test":"C"}
{"Action":"output","Package":"s","Test":"C","Output":"panic: from elsewhere\\n"}
{"Action":"fail","Package":"s"}
{"Action":"pass","Package":"r","Test":"B"}
{"Action":"pass","Package":"r"}
`
	var out strings.Builder
	passed, failed, err := sum(strings.NewReader(events), &out)
	if err != nil || passed != 2 || failed != 3 {
		t.Errorf("%d passed, %d failed, %v; want 2 and 3", passed, failed, err)
	}
	for _, want := range []string{"two is wrong", "does not build", "panic: from elsewhere"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, out.String())
		}
	}
}
