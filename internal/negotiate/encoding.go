package negotiate

// Identity is the coding that changes nothing. It is acceptable unless a header says otherwise (RFC 9110 §12.5.3).
const Identity = "identity"

// Encoding returns the content coding to answer with: one of the offers ("br", "gzip", in the server's order of
// preference), Identity if the client wants none of them, or "" if it refuses Identity too.
//
// The heaviest offer wins, and the first of equals. Identity takes part only where the header names it with a weight
// ("identity", or "*" that covers it); where the header is silent about it, it is the last resort. An empty header
// gives Identity, since a client that says nothing may well not be able to decode anything.
func Encoding(acceptEncoding string, offers ...string) string {
	chosen, heavy := "", weight(0)
	for _, offer := range offers {
		if w := coding(acceptEncoding, offer); w > heavy {
			chosen, heavy = offer, w
		}
	}
	switch w := coding(acceptEncoding, Identity); {
	case w > heavy:
		return Identity
	case chosen == "" && w == unset:
		return Identity
	}
	return chosen
}

// coding returns the weight of one coding; a coding that is neither named nor covered by "*" is unset.
func coding(header, name string) weight {
	star, named := unset, unset
	for len(header) > 0 {
		var e element
		var ok bool
		if e, header, ok = next(header); !ok {
			continue
		}
		switch {
		case e.value == "*":
			star = max(star, e.weight)
		case sameCoding(e.value, name):
			named = max(named, e.weight)
		}
	}
	if named != unset {
		return named
	}
	return star
}

// sameCoding compares two names of codings; "x-gzip" and "x-compress" are the old names of two (RFC 9110 §8.4.1).
func sameCoding(a, b string) bool {
	return equalFold(withoutX(a), withoutX(b))
}

func withoutX(s string) string {
	if len(s) > 2 && lower(s[0]) == 'x' && s[1] == '-' && (equalFold(s[2:], "gzip") || equalFold(s[2:], "compress")) {
		return s[2:]
	}
	return s
}
