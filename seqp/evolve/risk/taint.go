package risk

import (
	"go/types"
	"reflect"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// Kind is a place that what a client sends must not get into as it is.
type Kind int

// The kinds.
const (
	SQL Kind = iota
	Command
	File
	HTML
	Redirect
	URL
	Argument
	Template
	kinds
)

var kindNames = [...]string{"sql", "command", "file", "html", "redirect", "url", "argument", "template"}

// String returns the kind's name, such as "sql".
func (k Kind) String() string { return kindNames[k] }

// MarshalText gives the kind's name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// shared is the track beside the kinds that says whose memory a value leads to.
const shared = int(kinds)

// set is a set of a function's parameters, free variables behind them, and of two origins that are none.
type set uint64

const (
	anyRequest set = 1 << 63 // what a client sent, got without a parameter
	anyGlobal  set = 1 << 62 // a package's variable
	mostInputs     = 60
)

// taint says, for each kind and for shared memory, which inputs of the function a value is made of.
type taint [int(kinds) + 1]set

func (t taint) or(u taint) taint {
	for i := range t {
		t[i] |= u[i]
	}
	return t
}

func (t taint) without(list ...Kind) taint {
	for _, k := range list {
		t[k] = 0
	}
	return t
}

func (t taint) data() taint {
	t[shared] = 0
	return t
}

func everyKind(s set) taint {
	var t taint
	for i := range t {
		t[i] = s
	}
	return t
}

// carries reports whether a value of the type can carry text that a client chose.
func carries(t types.Type) bool {
	if t == nil {
		return false
	}
	switch u := types.Unalias(t).(type) {
	case *types.Named:
		if pkg := u.Obj().Pkg(); pkg == nil && u.Obj().Name() == "error" {
			return false
		} else if pkg != nil {
			switch pkg.Path() + "." + u.Obj().Name() {
			case "context.Context", "time.Time", "time.Duration", "net/netip.Addr", "net/netip.AddrPort", "log/slog.Logger", "reflect.Type",
				"sync.Mutex", "sync.RWMutex", "sync.WaitGroup", "database/sql.DB", "database/sql.Tx", "os.Root",
				framework + ".App", framework + ".Route", framework + ".Response":
				return false
			}
		}
		return carries(u.Underlying())
	case *types.Basic:
		return u.Info()&(types.IsString) != 0 || u.Kind() == types.UnsafePointer || u.Kind() == types.Invalid
	case *types.Array:
		return carriesBytes(u.Elem())
	case *types.Slice:
		return carriesBytes(u.Elem())
	case *types.Pointer:
		return carries(u.Elem())
	case *types.Tuple:
		for i := range u.Len() {
			if carries(u.At(i).Type()) {
				return true
			}
		}
		return false
	}
	return true
}

func carriesBytes(t types.Type) bool {
	if b, ok := t.Underlying().(*types.Basic); ok {
		return b.Kind() == types.Byte || b.Kind() == types.Rune || b.Info()&types.IsString != 0
	}
	return carries(t)
}

// leads reports whether memory is reached through a value of the type.
func leads(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Pointer, *types.Map, *types.Slice, *types.Interface, *types.Signature, *types.Chan, *types.Struct, *types.Array, *types.Tuple:
		return true
	}
	return false
}

// only keeps of a taint what a type can have.
func (t taint) only(typ types.Type) taint {
	if !carries(typ) {
		t = taint{shared: t[shared]}
	}
	if !leads(typ) {
		t[shared] = 0
	}
	return t
}

// checkedFormats are formats of the schema whose values mean nothing anywhere but as what they are.
var checkedFormats = map[string]bool{"uuid": true, "date": true, "date-time": true, "time": true, "ipv4": true, "ipv6": true, "duration": true}

// checkedField reports whether the framework has checked a field of an input against a list or a shape.
func checkedField(t types.Type, field int) bool {
	if pointer, ok := t.Underlying().(*types.Pointer); ok {
		t = pointer.Elem()
	}
	structure, ok := t.Underlying().(*types.Struct)
	if !ok {
		return false
	}
	tag := reflect.StructTag(structure.Tag(field))
	if _, ok := tag.Lookup("enum"); ok {
		return true
	}
	if pattern, ok := tag.Lookup("pattern"); ok {
		return closedPattern(pattern)
	}
	return checkedFormats[tag.Get("format")]
}

// closedPattern reports whether an expression has to match the whole of a text and lets no character through that means
// something in SQL, HTML or a shell.
func closedPattern(pattern string) bool {
	return (strings.HasPrefix(pattern, "^") || strings.HasPrefix(pattern, `\A`)) &&
		(strings.HasSuffix(pattern, "$") || strings.HasSuffix(pattern, `\z`)) && !strings.ContainsAny(strings.ReplaceAll(pattern, `\.`, ""), `.'"<>;|&`+"`")
}

// base follows an address to the value that the memory belongs to, without a load.
func base(v ssa.Value) ssa.Value {
	for {
		switch x := v.(type) {
		case *ssa.FieldAddr:
			v = x.X
		case *ssa.IndexAddr:
			v = x.X
		case *ssa.Slice:
			v = x.X
		case *ssa.ChangeType:
			v = x.X
		case *ssa.MakeInterface:
			if _, ok := x.X.Type().Underlying().(*types.Pointer); !ok {
				return v
			}
			v = x.X
		default:
			return v
		}
	}
}
