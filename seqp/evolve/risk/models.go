package risk

import (
	"go/types"
	"strings"

	"golang.org/x/tools/go/ssa"
)

// requestReads are the methods of the framework's request that give what a client sent.
var requestReads = map[string]bool{
	"Param": true, "Query": true, "QueryValues": true, "Header": true, "HeaderValues": true, "Cookie": true, "Text": true, "Bytes": true,
	"Form": true, "DecodeJSON": true, "URL": true, "Path": true, "Host": true, "HTTP": true, "Input": true, "Snapshot": true, "ContentType": true,
}

// fillers write into an argument what others hold: the index of the one that is written, counting a receiver.
var fillers = map[callee]int{
	{"encoding/json", "", "Unmarshal"}: 1, {"encoding/json", "Decoder", "Decode"}: 1, {"encoding/xml", "", "Unmarshal"}: 1,
	{"encoding/xml", "Decoder", "Decode"}: 1, {framework, "Request", "DecodeJSON"}: 1, {"io", "", "Copy"}: 0, {"io", "", "ReadFull"}: 1,
	{"io", "", "WriteString"}: 0, {"fmt", "", "Fprintf"}: 0, {"fmt", "", "Fprint"}: 0, {"fmt", "", "Fprintln"}: 0,
	{"strings", "Builder", "WriteString"}: 0, {"strings", "Builder", "Write"}: 0, {"strings", "Builder", "WriteByte"}: 0,
	{"strings", "Builder", "WriteRune"}: 0, {"bytes", "Buffer", "WriteString"}: 0, {"bytes", "Buffer", "Write"}: 0,
	{"bytes", "Buffer", "ReadFrom"}: 0, {"bufio", "Writer", "WriteString"}: 0, {"net/url", "Values", "Set"}: 0, {"net/url", "Values", "Add"}: 0,
}

// cleaners clear kinds: their result has another alphabet or another shape than what they got.
var cleaners = map[callee][]Kind{
	{"html", "", "EscapeString"}: {HTML}, {"html/template", "", "HTMLEscapeString"}: {HTML}, {"html/template", "", "HTMLEscaper"}: {HTML},
	{"html/template", "", "JSEscapeString"}: {HTML}, {"text/template", "", "HTMLEscapeString"}: {HTML},
	{"net/url", "", "QueryEscape"}: {HTML, SQL, Command, Redirect, URL}, {"net/url", "", "PathEscape"}: {HTML, Redirect, URL},
	{"net/url", "Values", "Encode"}:   {HTML, SQL, Command, Redirect, URL},
	{"net/url", "URL", "EscapedPath"}: {URL, HTML}, {"net/url", "URL", "RequestURI"}: {URL},
	{"path/filepath", "", "Base"}: {File}, {"path", "", "Base"}: {File}, {"path/filepath", "", "Localize"}: {File},
	{"encoding/hex", "", "EncodeToString"}:                {SQL, Command, File, HTML, Redirect, URL, Argument, Template},
	{"encoding/base64", "Encoding", "EncodeToString"}:     {SQL, Command, HTML, Redirect, URL},
	{"encoding/json", "", "Marshal"}:                      {HTML, File, Redirect, URL}, // it escapes < and >
	{"github.com/lib/pq", "", "QuoteIdentifier"}:          {SQL},
	{"github.com/lib/pq", "", "QuoteLiteral"}:             {SQL},
	{"github.com/jackc/pgx/v5", "Identifier", "Sanitize"}: {SQL},
}

// decoder reports whether a function undoes what a check has seen to: its result is another text than the one that was looked at.
func decoder(c callee) bool {
	switch c {
	case callee{"net/url", "", "PathUnescape"}, callee{"net/url", "", "QueryUnescape"}, callee{"html", "", "UnescapeString"},
		callee{"encoding/base64", "Encoding", "DecodeString"}, callee{"encoding/hex", "", "DecodeString"}:
		return true
	}
	return false
}

// silent packages answer with what is theirs, whatever they were asked: rows, sessions, files that were kept.
func silent(c callee) bool {
	for _, pkg := range []string{"/orm", "/cache", "/session", "/store", "/tasks", "/auth", "/outbound", "/files", "/template", "/mail"} {
		if c.pkg == framework+pkg || strings.HasPrefix(c.pkg, framework+pkg+"/") {
			return true
		}
	}
	switch c.pkg {
	case "database/sql", "log", "log/slog", "crypto/sha256", "crypto/sha512", "crypto/hmac", "os", "os/exec", "net", "time":
		return !(c.pkg == "os" && c.name == "Expand")
	case "net/http":
		return c.recv == "Client" || c.recv == "" && (c.name == "Get" || c.name == "Post" || c.name == "Head" || c.name == "PostForm")
	case "strconv":
		return !strings.HasPrefix(c.name, "Quote") && c.name != "Unquote"
	case framework:
		switch c.recv {
		case "Request":
			return !requestReads[c.name]
		case "Form", "FormFile":
			return false
		}
		return c.recv != ""
	}
	return false
}

// sink is a place of a call that is dangerous.
type sink struct {
	kind Kind
	arg  ssa.Value
	what string
}

var fileOpeners = map[string][]int{
	"Open": {0}, "OpenFile": {0}, "Create": {0}, "ReadFile": {0}, "WriteFile": {0}, "Remove": {0}, "RemoveAll": {0}, "Rename": {0, 1},
	"Mkdir": {0}, "MkdirAll": {0}, "ReadDir": {0}, "Stat": {0}, "Symlink": {0, 1}, "Link": {0, 1}, "Truncate": {0}, "Chmod": {0}, "DirFS": {0}, "OpenRoot": {0},
}

var queryText = map[string]int{
	"Query": 0, "QueryRow": 0, "Exec": 0, "Prepare": 0, "QueryContext": 1, "QueryRowContext": 1, "ExecContext": 1, "PrepareContext": 1,
}

// sinks are the dangerous arguments of a call.
func sinks(call ssa.CallInstruction) []sink {
	common := call.Common()
	c, ok := calleeOf(common)
	if !ok {
		return nil
	}
	args := common.Args
	first := 0 // of the written arguments
	if c.recv != "" && !common.IsInvoke() {
		first = 1
	}
	at := func(kind Kind, i int) []sink {
		if i+first < len(args) {
			return []sink{{kind, args[i+first], c.String()}}
		}
		return nil
	}
	switch c.pkg {
	case "os":
		var list []sink
		if c.recv == "" {
			for _, i := range fileOpeners[c.name] {
				list = append(list, at(File, i)...)
			}
		}
		return list
	case "io/ioutil":
		return at(File, 0)
	case "os/exec":
		return commandSinks(c, args)
	case "net/http":
		return netHTTPSinks(c, at)
	case "net":
		if c.recv == "" && (c.name == "Dial" || c.name == "DialTimeout") {
			return at(URL, 1)
		}
	case "html/template", "text/template":
		if c.recv == "Template" && c.name == "Parse" {
			return at(Template, 0)
		}
		return nil
	case framework:
		return frameworkSinks(c, at)
	case framework + "/orm":
		if c.recv == "" && c.name == "Exec" {
			return at(SQL, 2)
		}
		if c.name == "Raw" {
			return at(SQL, 1)
		}
		return nil
	case "fmt", "io":
		return writerSinks(c, call)
	}
	if i, ok := queryText[c.name]; ok && (c.pkg == "database/sql" || strings.HasSuffix(c.name, "Context")) {
		return at(SQL, i)
	}
	if strings.HasPrefix(c.pkg, "github.com/jackc/pgx/") && (c.name == "Query" || c.name == "QueryRow" || c.name == "Exec") {
		return at(SQL, 1)
	}
	if common.IsInvoke() && c.name == "Write" && isNamed(common.Value.Type(), "net/http", "ResponseWriter") && answersHTML(call.Parent()) {
		return at(HTML, 0)
	}
	return nil
}

func netHTTPSinks(c callee, at func(Kind, int) []sink) []sink {
	switch c.String() {
	case "net/http.Redirect":
		return at(Redirect, 2)
	case "net/http.ServeFile":
		return at(File, 2)
	case "net/http.Dir":
		return at(File, 0)
	case "net/http.NewRequest":
		return at(URL, 1)
	case "net/http.NewRequestWithContext":
		return at(URL, 2)
	case "net/http.Get", "net/http.Post", "net/http.Head", "net/http.PostForm",
		"net/http.Client.Get", "net/http.Client.Post", "net/http.Client.Head", "net/http.Client.PostForm":
		return at(URL, 0)
	case "net/http.ResponseWriter.Write":
		return nil
	}
	return nil
}

func frameworkSinks(c callee, at func(Kind, int) []sink) []sink {
	if c.recv != "" {
		return nil
	}
	switch c.name {
	case "HTML", "HTMLf":
		return at(HTML, 0)
	case "Redirect":
		return at(Redirect, 0)
	case "File":
		return at(File, 0)
	}
	return nil
}

// commandSinks are the program of a command, and the text that a shell is given.
func commandSinks(c callee, args []ssa.Value) []sink {
	i := 0
	switch c.String() {
	case "os/exec.Command":
	case "os/exec.CommandContext":
		i = 1
	default:
		return nil
	}
	list := []sink{{Command, args[i], c.String()}}
	fixed := false // what follows is no option
	for _, element := range elements(args[i+1]) {
		if text, ok := constantText(element); ok {
			fixed = fixed || text == "--" || text == "--end-of-options"
		} else if !fixed {
			list = append(list, sink{Argument, element, c.String()})
		}
	}
	name, _ := constantText(args[i])
	switch name[strings.LastIndex(name, "/")+1:] {
	case "sh", "bash", "zsh", "dash", "ksh", "cmd", "powershell", "env", "xargs", "ssh", "python", "python3", "perl", "node", "awk", "eval":
		list = append(list, sink{Command, args[i+1], c.String()})
	}
	return list
}

// writerSinks are texts that are written to the answer of a net/http handler, which is HTML unless the handler says what
// else it is.
func writerSinks(c callee, call ssa.CallInstruction) []sink {
	args := call.Common().Args
	if c.name != "Fprintf" && c.name != "Fprint" && c.name != "Fprintln" && c.name != "WriteString" || len(args) < 2 {
		return nil
	}
	to := args[0]
	if change, ok := to.(*ssa.ChangeInterface); ok {
		to = change.X
	}
	if !isNamed(to.Type(), "net/http", "ResponseWriter") || !answersHTML(call.Parent()) {
		return nil
	}
	var list []sink
	for _, argument := range args[1:] {
		list = append(list, sink{HTML, argument, c.String()})
	}
	return list
}

// answersHTML reports whether what a function writes may be read as HTML: it sets no other content type.
func answersHTML(fn *ssa.Function) bool {
	for call := range calls(fn) {
		c, ok := calleeOf(call.Common())
		if !ok || c.pkg != "net/http" || c.recv != "Header" || c.name != "Set" {
			continue
		}
		name, _ := constantText(call.Common().Args[1])
		value, known := constantText(call.Common().Args[2])
		if strings.EqualFold(name, "Content-Type") {
			return !known || strings.Contains(value, "html")
		}
	}
	return true
}

// returnSinks are the texts that a handler returns: the framework answers a string as HTML.
func returnSinks(fn *ssa.Function, ret *ssa.Return) []sink {
	signature := fn.Signature
	if signature.Results().Len() != 2 || len(ret.Results) != 2 || !isRequest(signature) {
		return nil
	}
	made, ok := ret.Results[0].(*ssa.MakeInterface)
	if !ok {
		return nil
	}
	if isNamed(made.X.Type(), framework+"/template", "HTML") || types.Identical(made.X.Type(), types.Typ[types.String]) {
		return []sink{{HTML, made.X, "a returned string, which is answered as HTML"}}
	}
	return nil
}

func isRequest(signature *types.Signature) bool {
	for i := range signature.Params().Len() {
		if isNamed(signature.Params().At(i).Type(), framework, "Request") {
			return true
		}
	}
	return false
}
