package tree

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/ishaa-framework/ishaa/internal/typo"
)

// What error messages propose: the converter that was probably meant, the expression that says the same, and texts
// that an expression accepts.

// elsewhere are the names that other routers and languages have for the built-in converters.
var elsewhere = map[string]string{
	"string": "str", "text": "str", "any": "str", "default": "str", "segment": "str",
	"integer": "int", "number": "int", "num": "int", "int64": "int", "long": "int", "uint": "int", "id": "int",
	"double": "float", "decimal": "float", "real": "float", "float64": "float",
	"guid": "uuid", "regex": "re", "regexp": "re", "pattern": "re",
	"rest": "path", "wildcard": "path", "all": "path", "catchall": "path",
}

// suggestConverter says which converter was probably meant by a name that there is none for.
func suggestConverter(name string, known []string) string {
	best := elsewhere[strings.ToLower(name)]
	if best == "" {
		best = typo.Nearest(name, slices.Values(known))
	}
	list := "the converters are " + strings.Join(known, ", ")
	if best == "" {
		return list
	}
	return fmt.Sprintf("did you mean %q? (%s)", best, list)
}

// exprOf returns a regular expression that accepts what the parameter does.
func exprOf(p Param) string {
	switch p.Converter {
	case "int":
		return `-?[0-9]+`
	case "float":
		return `-?[0-9]+(\.[0-9]+)?`
	case "uuid":
		return `[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}`
	case "slug":
		return `[A-Za-z0-9_-]+`
	case "re":
		return p.Expr
	}
	return `.+`
}

// quoteMeta returns the expression for static text of a pattern, whose escapes it decodes if they are well-formed.
func quoteMeta(text string) string {
	if first := strings.IndexByte(text, '%'); first >= 0 {
		if decoded, ok := decode(text, first, false); ok {
			text = decoded
		}
	}
	return regexp.QuoteMeta(text)
}

// quoteExpr writes an expression as a literal for a pattern, preferring quotes that need no escapes within Go code.
func quoteExpr(expr string) string {
	if strings.Contains(expr, `\`) && strconv.CanBackquote(expr) {
		return "`" + expr + "`"
	}
	return strconv.Quote(expr)
}

// exprSamples returns texts that an expression probably accepts: the shortest, and one where everything optional is
// there.
func exprSamples(expr string) []string {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	re = re.Simplify()
	var short, long strings.Builder
	writeSample(&short, re, 0)
	writeSample(&long, re, 1)
	return []string{short.String(), long.String()}
}

// writeSample writes a text that an expression probably accepts, with extra repetitions of what may be repeated.
func writeSample(out *strings.Builder, re *syntax.Regexp, extra int) {
	if out.Len() > 1<<10 {
		return // a message needs a short example or none
	}
	switch re.Op {
	case syntax.OpLiteral:
		out.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		if len(re.Rune) > 0 {
			out.WriteRune(readable(re.Rune))
		}
	case syntax.OpAnyCharNotNL, syntax.OpAnyChar:
		out.WriteByte('x')
	case syntax.OpStar, syntax.OpQuest:
		if extra > 0 {
			writeSample(out, re.Sub[0], extra)
		}
	case syntax.OpPlus:
		for range 1 + extra {
			writeSample(out, re.Sub[0], extra)
		}
	case syntax.OpAlternate:
		writeSample(out, re.Sub[min(extra, len(re.Sub)-1)], extra)
	case syntax.OpConcat, syntax.OpCapture:
		for _, sub := range re.Sub {
			writeSample(out, sub, extra)
		}
	}
}

// readable picks a rune from the ranges of a character class that reads well in a message.
func readable(ranges []rune) rune {
	for _, want := range "x7aAX-_." {
		for i := 0; i+1 < len(ranges); i += 2 {
			if ranges[i] <= want && want <= ranges[i+1] {
				return want
			}
		}
	}
	return ranges[0]
}
