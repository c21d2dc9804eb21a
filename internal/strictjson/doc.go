// Package strictjson reads JSON texts the way RFC 8259 writes them, and refuses what encoding/json lets pass.
//
// encoding/json repairs or ignores several things that two programs on one request may read differently, which is how
// a check in front of an application is walked around. This package refuses them:
//
//   - a name that occurs twice in one object (names are compared after decoding, so "a" equals "\u0061");
//   - octets that are not UTF-8, and \u escapes that are half of a surrogate pair: encoding/json turns both into U+FFFD;
//   - a byte order mark;
//   - arrays and objects nested deeper than the caller allows;
//   - texts of 2 GiB and more, so that positions fit 32 bits.
//
// [Check] gives a verdict on a whole text. [Scanner] is the same in steps, for decoders: one pass, no tokens stored.
//
//	func main() {
//		err := strictjson.Check([]byte("{\n \"a\": 1,\n \"a\": 2}"), 0)
//		fmt.Println(err) // line 3, column 2: duplicate key "a"
//	}
package strictjson
