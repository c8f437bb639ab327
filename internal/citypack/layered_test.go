package citypack_test

import (
	"fmt"
	"testing/fstest"
)

// layered is a province and a city over it.
func layered(province, own int, has bool, hours int) fstest.MapFS {
	head := func(code, level, parent string) string {
		s := fmt.Sprintf("code: %q\nlevel: %s\nname: {zh: 甲, en: A}\nedition: \"1\"\nlaws:\n  l: {title: {zh: 甲法, en: Law A}}\n", code, level)
		if parent != "" {
			s += fmt.Sprintf("parent: %q\n", parent)
		}
		return s
	}
	src := "source: {law: l}, confidence: primary"
	under := head("120000", "province", "") + fmt.Sprintf(`standard:
  bedroom: [{value: "%d", %s}]
  kitchen: [{value: "10", %s}]
clocks:
  arrive:
    start: company_told
    stop: arrived
    party: unit
    limits:
      - {kinds: [leak], amount: 1, unit: hour, %s}
      - {kinds: [quality], amount: 99, unit: hour, %s}
`, province, src, src, src, src)
	over := head("123400", "city", "120000")
	if has {
		over += fmt.Sprintf("standard:\n  bedroom: [{value: \"%d\", %s}]\n", own, src)
	}
	over += fmt.Sprintf("clocks:\n  arrive:\n    limits:\n      - {kinds: [quality], amount: %d, unit: hour, %s}\n", hours, src)
	return fstest.MapFS{"a.yaml": {Data: []byte(under)}, "b.yaml": {Data: []byte(over)}}
}
