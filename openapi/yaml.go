package openapi

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
)

// YAML in a form that readers of 1.1 and 1.2 take alike: blocks, texts in double
// quotes with the escapes of JSON (YAML 1.2 §7.3.1 has all of them), and names without
// quotes only where nothing else could be meant.

func yamlOf(root object) []byte {
	var out bytes.Buffer
	writeYAML(&out, root, 0)
	return out.Bytes()
}

// plainName is a name that no reader takes for a number, a truth or null.
var plainName = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_.$/-]*$`)

var yamlWords = map[string]bool{
	"true": true, "false": true, "null": true, "yes": true, "no": true, "on": true, "off": true, "y": true, "n": true,
}

func yamlName(name string) string {
	if plainName.MatchString(name) && !yamlWords[strings.ToLower(name)] {
		return name
	}
	return yamlText(name)
}

func yamlText(text string) string {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text)
	quoted := strings.TrimSuffix(out.String(), "\n")
	// DEL, C1 controls, byte order marks: not printable to YAML (§5.1).
	var safe strings.Builder
	for _, r := range quoted {
		if r >= 0x7f && r < 0xa0 || r == 0xfeff || r == 0xfffe || r == 0xffff {
			safe.WriteString(`\u` + string("0123456789abcdef"[r>>12&15]) + string("0123456789abcdef"[r>>8&15]) +
				string("0123456789abcdef"[r>>4&15]) + string("0123456789abcdef"[r&15]))
			continue
		}
		safe.WriteRune(r)
	}
	return safe.String()
}

// writeYAML writes a block collection, each line of it indented.
func writeYAML(out *bytes.Buffer, value any, indent int) {
	switch v := value.(type) {
	case object:
		for i, m := range v {
			if i > 0 || indent == 0 {
				out.WriteString(strings.Repeat("  ", indent))
			}
			out.WriteString(yamlName(m.Name) + ":")
			writeYAMLMember(out, m.Value, indent+1)
		}
	case []any:
		for i, item := range v {
			if i > 0 {
				out.WriteString(strings.Repeat("  ", indent))
			}
			out.WriteString("-")
			if nested, ok := item.(object); ok && len(nested) > 0 {
				out.WriteByte(' ')
				writeYAML(out, nested, indent+1)
				continue
			}
			writeYAMLMember(out, item, indent+1)
		}
	}
}

// writeYAMLMember writes what follows a name or a dash, to the end of the line.
func writeYAMLMember(out *bytes.Buffer, value any, indent int) {
	switch v := value.(type) {
	case object:
		if len(v) > 0 {
			out.WriteString("\n" + strings.Repeat("  ", indent))
			writeYAML(out, v, indent)
			return
		}
		out.WriteString(" {}\n")
	case []any:
		if len(v) > 0 {
			out.WriteString("\n" + strings.Repeat("  ", indent))
			writeYAML(out, v, indent)
			return
		}
		out.WriteString(" []\n")
	case string:
		out.WriteString(" " + yamlText(v) + "\n")
	case json.Number:
		out.WriteString(" " + yamlNumber(v.String()) + "\n")
	case bool:
		if v {
			out.WriteString(" true\n")
		} else {
			out.WriteString(" false\n")
		}
	default:
		out.WriteString(" null\n")
	}
}

// yamlNumber writes an exponent as YAML 1.1 wants it too: "1.0e+2".
func yamlNumber(text string) string {
	mantissa, exponent, found := strings.Cut(strings.ToLower(text), "e")
	if !found {
		return text
	}
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	if exponent[0] != '-' && exponent[0] != '+' {
		exponent = "+" + exponent
	}
	return mantissa + "e" + exponent
}
