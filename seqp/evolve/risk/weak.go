package risk

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"os"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// What is weak wherever its data come from: random numbers that can be guessed where a secret is made, a hash that is quick to
// try over a password, a certificate that nobody looks at. A rule looks at one instruction and at the names around it.

// weakness is a weak place.
type weakness struct {
	rule, text string
	pos        token.Pos
}

var (
	secretNames   = regexp.MustCompile(`(?i)token|secret|passw|session|api_?key|nonce|salt|invit|otp|csrf|reset`)
	passwordNames = regexp.MustCompile(`(?i)^(?:.*_)?(?:new_?|old_?)?(?:password|passwd|passphrase|pin_?code|secret|token|api_?key)$`)
	// What people think up and others can guess. A random token needs no slow hash.
	chosenNames   = regexp.MustCompile(`(?i)^(?:.*_)?(?:new_?|old_?)?(?:password|passwd|passphrase|pin_?code)$`)
	comparedNames = regexp.MustCompile(`(?i)token|secret|signature|password|api_?key|hmac|mac$`)
)

// weaknesses are those of functions, and of the functions that they are written in.
func (a *application) weaknesses(reached []*ssa.Function) []weakness {
	all := slices.Clone(reached)
	for _, fn := range reached {
		for outer := fn.Parent(); outer != nil; outer = outer.Parent() {
			if !slices.Contains(all, outer) {
				all = append(all, outer)
			}
		}
	}
	var list []weakness
	add := func(rule string, pos token.Pos, text string) { list = append(list, weakness{rule, text, pos}) }
	for _, fn := range all {
		for _, block := range fn.Blocks {
			for _, instruction := range block.Instrs {
				switch x := instruction.(type) {
				case ssa.CallInstruction:
					weakCall(fn, x, add)
				case *ssa.Store:
					field, ok := x.Addr.(*ssa.FieldAddr)
					if value, known := x.Val.(*ssa.Const); ok && known && value.Value != nil && value.Value.Kind() == constant.Bool && constant.BoolVal(value.Value) &&
						isNamed(field.X.Type(), "crypto/tls", "Config") && fieldName(field) == "InsecureSkipVerify" {
						add("certificate", x.Pos(), "nobody looks at the certificate of another server")
					}
				case *ssa.BinOp:
					if (x.Op == token.EQL || x.Op == token.NEQ) && types.Identical(x.X.Type().Underlying(), types.Typ[types.String]) && comparesSecret(x.X, x.Y) {
						add("timing", x.Pos(), "a secret is compared letter by letter, and how long it takes tells how much of it was right: use subtle.ConstantTimeCompare")
					}
				}
			}
		}
	}
	return list
}

func weakCall(fn *ssa.Function, call ssa.CallInstruction, add func(rule string, pos token.Pos, text string)) {
	c, ok := calleeOf(call.Common())
	if !ok {
		return
	}
	args := call.Common().Args
	switch c.pkg {
	case "math/rand", "math/rand/v2":
		if c.name != "New" && c.name != "NewSource" && c.name != "NewPCG" && c.name != "NewChaCha8" && speaksOf(fn, secretNames) {
			add("random", call.Pos(), "a secret is made of random numbers that can be guessed: use crypto/rand")
		}
	case "crypto/md5", "crypto/sha1", "crypto/sha256", "crypto/sha512":
		if strings.HasPrefix(c.name, "Sum") && len(args) == 1 && namedAs(args[0], chosenNames, 0) {
			add("hash", call.Pos(), "a password under a hash that is quick to try: use auth.HashPassword")
		}
	case "crypto/hmac", "crypto/aes":
		for _, argument := range args {
			if convert, ok := argument.(*ssa.Convert); ok {
				if text, ok := constantText(convert.X); ok && text != "" {
					add("key", call.Pos(), "a key in the program is known to whoever has the program")
				}
			}
		}
	case "log", "log/slog", "fmt":
		if c.pkg == "fmt" && !strings.HasPrefix(c.name, "Print") {
			return
		}
		for _, argument := range args {
			for _, value := range append(elements(argument), argument) {
				if namedAs(value, passwordNames, 0) {
					add("journal", call.Pos(), "a password or a token is written to the journal")
					return
				}
			}
		}
	case "os":
		weakFile(c, call, add)
	case "io":
		i := map[string]int{"ReadAll": 0, "Copy": 1}
		if at, ok := i[c.name]; ok && len(args) > at && unpacks(args[at]) {
			add("unpacked", call.Pos(), "what is unpacked may be a thousand times as much as what was sent: use io.LimitReader")
		}
	}
}

func weakFile(c callee, call ssa.CallInstruction, add func(rule string, pos token.Pos, text string)) {
	args := call.Common().Args
	mode := map[string]int{"WriteFile": 2, "OpenFile": 2, "Mkdir": 1, "MkdirAll": 1, "Chmod": 1}
	if c.recv != "" {
		return
	}
	if at, ok := mode[c.name]; ok && len(args) > at {
		if value, ok := args[at].(*ssa.Const); ok && value.Value != nil && value.Int64()&0o002 != 0 {
			add("mode", call.Pos(), "every account of the machine may write it")
		}
	}
	if c.name != "Create" && c.name != "WriteFile" && c.name != "OpenFile" || !knownTemporary(args[0]) {
		return
	}
	if c.name == "OpenFile" {
		if flags, ok := args[1].(*ssa.Const); !ok || flags.Value == nil || flags.Int64()&int64(os.O_EXCL) != 0 || flags.Int64()&int64(os.O_CREATE) == 0 {
			return
		}
	}
	add("temporary", call.Pos(), "its name in a folder of everybody can be known before: use os.CreateTemp")
}

// knownTemporary reports whether a name is a fixed one in the folder for temporary files.
func knownTemporary(v ssa.Value) bool {
	if text, ok := constantText(v); ok {
		return strings.HasPrefix(text, "/tmp/") || strings.HasPrefix(text, "/var/tmp/")
	}
	var parts []ssa.Value
	switch x := v.(type) {
	case *ssa.Call:
		if c, _ := calleeOf(x.Common()); c.name == "Join" && (c.pkg == "path/filepath" || c.pkg == "path") {
			parts = elements(x.Call.Args[0])
		}
	case *ssa.BinOp:
		for value := ssa.Value(x); ; {
			sum, ok := value.(*ssa.BinOp)
			if !ok {
				parts = append(parts, value)
				break
			}
			parts = append(parts, sum.Y)
			value = sum.X
		}
	}
	temporary := false
	for _, part := range parts {
		if call, ok := part.(*ssa.Call); ok {
			if c, _ := calleeOf(call.Common()); c == (callee{"os", "", "TempDir"}) {
				temporary = true
				continue
			}
		}
		if _, ok := constantText(part); !ok {
			return false
		}
	}
	return temporary
}

// unpacks reports whether a reader unpacks, without a limit.
func unpacks(v ssa.Value) bool {
	made, ok := v.(*ssa.MakeInterface)
	if !ok {
		return false
	}
	return isNamed(made.X.Type(), "compress/gzip", "Reader") || isNamed(made.X.Type(), "compress/bzip2", "reader")
}

// speaksOf reports whether names or texts in a function match.
func speaksOf(fn *ssa.Function, names *regexp.Regexp) bool {
	syntax := fn.Syntax()
	if syntax == nil {
		return false
	}
	found := names.MatchString(fn.Name())
	ast.Inspect(syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			found = found || names.MatchString(n.Name)
		case *ast.BasicLit:
			found = found || n.Kind == token.STRING && names.MatchString(n.Value)
		}
		return !found
	})
	return found
}

// deepestName is how many steps a name is looked for behind a value.
const deepestName = 6

// namedAs reports whether a value comes from a field, a parameter or a part of a request whose name matches.
func namedAs(v ssa.Value, names *regexp.Regexp, depth int) bool {
	if v == nil || depth > deepestName {
		return false
	}
	switch x := v.(type) {
	case *ssa.Parameter:
		return names.MatchString(x.Name()) && carries(x.Type())
	case *ssa.FreeVar:
		return names.MatchString(x.Name())
	case *ssa.Global:
		return names.MatchString(x.Name())
	case *ssa.FieldAddr:
		return names.MatchString(fieldName(x))
	case *ssa.Field:
		structure, ok := x.X.Type().Underlying().(*types.Struct)
		return ok && names.MatchString(structure.Field(x.Field).Name())
	case *ssa.UnOp:
		return namedAs(x.X, names, depth+1)
	case *ssa.Convert:
		return namedAs(x.X, names, depth+1)
	case *ssa.MakeInterface:
		return namedAs(x.X, names, depth+1)
	case *ssa.ChangeType:
		return namedAs(x.X, names, depth+1)
	case *ssa.Extract:
		return namedAs(x.Tuple, names, depth+1)
	case *ssa.BinOp:
		return x.Op == token.ADD && (namedAs(x.X, names, depth+1) || namedAs(x.Y, names, depth+1))
	case *ssa.Call:
		c, _ := calleeOf(x.Common())
		if asked(c) && len(x.Call.Args) > 1 || c == (callee{"os", "", "Getenv"}) {
			name, _ := constantText(x.Call.Args[len(x.Call.Args)-1])
			return names.MatchString(name)
		}
	}
	return false
}

// asked reports whether a function gives a part of a request by its name.
func asked(c callee) bool {
	switch c.name {
	case "Query", "Header", "Cookie", "Value", "FormValue", "PostFormValue", "Param", "Get":
		return c.pkg == framework && (c.recv == "Request" || c.recv == "Form") || c.pkg == "net/http" && (c.recv == "Request" || c.recv == "Header")
	}
	return false
}

// comparesSecret reports whether a part of a request is compared with what is a secret by its name.
func comparesSecret(x, y ssa.Value) bool {
	for _, pair := range [2][2]ssa.Value{{x, y}, {y, x}} {
		sent, kept := pair[0], pair[1]
		if extract, ok := sent.(*ssa.Extract); ok {
			sent = extract.Tuple
		}
		call, ok := sent.(*ssa.Call)
		if !ok {
			continue
		}
		if _, fixed := kept.(*ssa.Const); fixed {
			continue
		}
		if c, _ := calleeOf(call.Common()); asked(c) && (namedAs(sent, comparedNames, 0) || namedAs(kept, comparedNames, 0)) {
			return true
		}
	}
	return false
}
