package clue_test

import (
	"fmt"
	"io"
)

// newRepeats is a table of n rows that says ten things over and over; the function writes it.
func newRepeats(n int) (io.Reader, func()) {
	r, w := io.Pipe()
	return r, func() {
		_, err := io.WriteString(w, "id,author,text\n")
		for i := 0; i < n && err == nil; i++ {
			_, err = fmt.Fprintf(w, "p%d,网友%d,向阳花园%d号楼暖气不热\n", i%10, i%10, i%10+1)
		}
		w.CloseWithError(err)
	}
}
