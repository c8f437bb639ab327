package territory

// Address is what a text says about where in the city it is. Numbers are Arabic; what is not said is empty.
type Address struct {
	District  string
	Street    string
	Road      string
	Number    string
	Community string
	Building  string
	Unit      string
	Floor     string
	Room      string
}
