// Package negotiate answers the two questions a server asks of a request's preferences (RFC 9110 §12.5): which of my
// media types does this client want, and which of my content codings may I apply.
//
//	kind := negotiate.Best(r.Header.Get("Accept"), "application/json", "text/html")
//	switch kind {
//	case "":          // 406, or answer in the server's favourite anyway
//	case "text/html": // a browser
//	}
//
// # The rule
//
// Among the offers with a weight above zero the heaviest wins; between equals the one that the client named most
// precisely ("text/html" before "text/*" before "*/*"); between those the one that the server lists first. That makes
// "application/json, text/plain, */*", which many JavaScript clients send, mean JSON even to a server that prefers HTML.
//
// A header is read once from left to right for every eight offers, without allocating and without remembering what it
// has read, so its cost is linear in its length whatever it contains. An element that is not well-formed is skipped; a
// header with no well-formed element at all counts as absent.
package negotiate

// weight is a quality value in thousandths: RFC 9110 §12.4.2 allows three decimals. Unset says that nothing matched.
type weight int16

const (
	unset    weight = -1
	heaviest weight = 1000
)

// Media ranges from vague to precise. A range with parameters ("text/html;level=1") is read as if it had none, but
// gives way to the same range written plainly, because the plain one is what the client says about the plain type.
const (
	anyType = iota + 1
	anySubtype
	withParameters
	exact
)

// match is what the header says about one offer: the weight of the most precise range that covers it.
type match struct {
	weight      weight
	specificity int8
}

// batch is how many offers one pass over a header judges; larger lists take several passes, so nothing is allocated.
const batch = 8

// Best returns the offer that an Accept header prefers, or "" if it accepts none of them. Offers are media types
// ("text/html", parameters allowed and ignored) in the server's order of preference. An empty header accepts anything,
// so it returns the first offer.
func Best(accept string, offers ...string) string {
	best, chosen := match{}, ""
	for start := 0; start < len(offers); start += batch {
		group := offers[start:min(start+batch, len(offers))]
		var matches [batch]match
		if !judge(accept, group, &matches) {
			return offers[0]
		}
		for i, m := range matches[:len(group)] {
			if m.weight > best.weight || m.weight > 0 && m.weight == best.weight && m.specificity > best.specificity {
				best, chosen = m, group[i]
			}
		}
	}
	return chosen
}

// Accepts returns the weight between 0 and 1 that an Accept header gives to one media type; 0 means that the client
// does not want it. An empty header gives 1.
func Accepts(accept, mediaType string) float64 {
	var matches [batch]match
	offer := [1]string{mediaType}
	if !judge(accept, offer[:], &matches) {
		return 1
	}
	return float64(max(matches[0].weight, 0)) / float64(heaviest)
}

// judge fills in what the header says about each offer and reports whether it said anything at all.
func judge(accept string, offers []string, matches *[batch]match) (any bool) {
	for i := range offers {
		matches[i] = match{weight: unset}
	}
	for len(accept) > 0 {
		var e element
		var ok bool
		if e, accept, ok = next(accept); !ok {
			continue
		}
		mainType, subtype, ok := splitRange(e.value)
		if !ok {
			continue
		}
		any = true
		for i, offer := range offers {
			s := specificity(mainType, subtype, e.parameters, offer)
			m := &matches[i]
			if s > m.specificity || s > 0 && s == m.specificity && e.weight > m.weight {
				*m = match{e.weight, s}
			}
		}
	}
	return any
}

// splitRange takes "type/subtype" apart. A lone "*", which old Java clients send, means "*/*".
func splitRange(value string) (mainType, subtype string, ok bool) {
	if value == "*" {
		return "*", "*", true
	}
	slash := -1
	for i := 0; i < len(value); i++ {
		switch {
		case value[i] == '/' && slash < 0:
			slash = i
		case !isToken(value[i]):
			return "", "", false
		}
	}
	if slash <= 0 || slash == len(value)-1 {
		return "", "", false
	}
	mainType, subtype = value[:slash], value[slash+1:]
	return mainType, subtype, mainType != "*" || subtype == "*"
}

// specificity says how precisely a range covers an offer, 0 if it does not.
func specificity(mainType, subtype string, parameters bool, offer string) int8 {
	end := 0
	for end < len(offer) && offer[end] != ';' && offer[end] != ' ' {
		end++
	}
	offer = offer[:end]
	switch {
	case mainType == "*":
		return anyType
	case len(offer) <= len(mainType) || offer[len(mainType)] != '/' || !equalFold(offer[:len(mainType)], mainType):
		return 0
	case subtype == "*":
		return anySubtype
	case !equalFold(offer[len(mainType)+1:], subtype):
		return 0
	case parameters:
		return withParameters
	}
	return exact
}
