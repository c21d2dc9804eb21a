package threats_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/ishaa-framework/ishaa/internal/testenv"
)

// source is a file of the framework, without tests.
type source struct {
	name string // from the root of the repository
	*ast.File
}

func sources(t *testing.T) []source {
	t.Helper()
	list, err := parsed()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 200 {
		t.Fatalf("only %d files", len(list))
	}
	return list
}

var parsed = sync.OnceValues(func() (list []source, err error) {
	err = filepath.WalkDir(testenv.Root(), func(path string, entry fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(testenv.Root(), path)
		switch {
		case err != nil || relErr != nil:
			return errors.Join(err, relErr)
		case entry.IsDir() && (slices.Contains([]string{"examples", "bench"}, name) || entry.Name() == "testdata" || len(name) > 1 && strings.HasPrefix(entry.Name(), ".")):
			return fs.SkipDir
		case entry.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		list = append(list, source{filepath.ToSlash(name), file})
		return err
	})
	return list, err
})

// What no file of the framework takes from the standard library, but for those that say why.
func TestNoDangerousImports(t *testing.T) {
	for path, allowed := range map[string]string{
		"encoding/gob":  ``, // decodes what a client sent into types of its choice
		"crypto/md5":    ``,
		"crypto/sha1":   `^(auth/totp\.go|websocket/.*)$`, // RFC 4226 and RFC 6455 have it
		"crypto/des":    ``,
		"crypto/rc4":    ``,
		"text/template": `^internal/scaffold/`, // writes Go, not pages
		"plugin":        ``,
	} {
		permitted := regexp.MustCompile(allowed)
		for _, file := range sources(t) {
			for _, spec := range file.Imports {
				if text, _ := strconv.Unquote(spec.Path.Value); text == path && (allowed == "" || !permitted.MatchString(file.name)) {
					t.Errorf("%s imports %s", file.name, path)
				}
			}
		}
	}
}

// Whatever makes ids, keys, codes and nonces takes them from crypto/rand: the packages that keep secrets do not import another
// source at all, and internal/secure makes of the other one nothing but the ids of requests.
func TestSecretsAreOfCryptoRand(t *testing.T) {
	folders := regexp.MustCompile(`^(auth|session|middleware|mail|files)/`)
	withCrypto := 0
	for _, file := range sources(t) {
		name := "" // of math/rand in the file
		for _, spec := range file.Imports {
			switch path, _ := strconv.Unquote(spec.Path.Value); {
			case path == "math/rand", path == "math/rand/v2":
				name = "rand"
				if spec.Name != nil {
					name = spec.Name.Name
				}
				if folders.MatchString(file.name) {
					t.Errorf("%s imports %s", file.name, path)
				}
			case path == "crypto/rand" && folders.MatchString(file.name):
				withCrypto++
			}
		}
		if name == "" || file.name != "internal/secure/random.go" {
			continue
		}
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || strings.Contains(fn.Name.Name, "RequestID") {
				continue
			}
			ast.Inspect(fn, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := s.X.(*ast.Ident); ok && x.Name == name {
						t.Errorf("%s: %s takes from %s.%s", file.name, fn.Name.Name, name, s.Sel.Name)
					}
				}
				return true
			})
		}
	}
	if withCrypto < 3 {
		t.Errorf("only %d files import crypto/rand", withCrypto)
	}
}

// The files that compare secrets do so in constant time, and none of them compares a hash or a signature by "==".
func TestSecretsAreComparedInConstantTime(t *testing.T) {
	seen := map[string]bool{}
	compares := regexp.MustCompile(`^(?i)(secret|hash|digest|signature|mac|tag|code|otp|sum|verifier|nonce)$`)
	for _, file := range sources(t) {
		if !strings.HasPrefix(file.name, "auth/") && !strings.HasPrefix(file.name, "middleware/csrf") {
			continue
		}
		ast.Inspect(file.File, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if n.Sel.Name == "ConstantTimeCompare" || n.Sel.Name == "Equal" && isNamed(n.X, "hmac") {
					seen[file.name] = true
				}
			case *ast.CallExpr:
				if s, ok := n.Fun.(*ast.SelectorExpr); ok && s.Sel.Name == "Equal" && isNamed(s.X, "bytes") {
					t.Errorf("%s uses bytes.Equal", file.name)
				}
			case *ast.BinaryExpr:
				if n.Op != token.EQL && n.Op != token.NEQ {
					return true
				}
				if a, b := nameOf(n.X), nameOf(n.Y); compares.MatchString(a) && compares.MatchString(b) {
					t.Errorf("%s compares %s with %s by %s", file.name, a, b, n.Op)
				}
			}
			return true
		})
	}
	for _, name := range []string{"auth/apikey.go", "auth/oidc.go", "auth/refresh.go", "auth/scheme.go", "auth/totp.go", "middleware/csrftoken.go"} {
		if !seen[name] {
			t.Errorf("%s compares nothing in constant time", name)
		}
	}
}

func isNamed(e ast.Expr, name string) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == name
}

// nameOf is the last name of an expression, such as Hash of record.Hash.
func nameOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}
