package ishaa_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ishaa-framework/ishaa"
)

// A guard on a prefix cannot be got round by another spelling of the path, and
// what is served beside it does not reach behind it.
func TestProtectedPrefix(t *testing.T) {
	folder := t.TempDir()
	for name, content := range map[string]string{"admin/secret.txt": "SECRET", "public/index.txt": "public", "a b.txt": "space"} {
		file := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc", filepath.Join(folder, "etc")); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()

	app := newApp(t)
	files := func(prefix string) ishaa.Handler {
		return func(r *ishaa.Request) (any, error) { return ishaa.FileFS(root.FS(), prefix+r.Param("p")), nil }
	}
	admin := ishaa.NewBlueprint("admin", "/admin")
	admin.Before(func(r *ishaa.Request) (any, error) {
		if r.Header("Authorization") != "Basic YWRtaW46YWRtaW4=" {
			return nil, ishaa.Unauthorized("sign in").WithHeader("WWW-Authenticate", "Basic")
		}
		return nil, nil
	})
	admin.Get("/<path:p>", files("admin/"))
	app.Register(admin)
	app.Get("/<path:p>", files(""))
	s := serve(t, app)

	s.rawRequest("GET", "/public/index.txt", "app.test").wantBody(t, 200, "public")
	s.rawRequest("GET", "/a%20b.txt", "app.test").wantBody(t, 200, "space")
	s.raw("GET", "GET /admin/secret.txt HTTP/1.1\r\nHost: a\r\nAuthorization: Basic YWRtaW46YWRtaW4=\r\n\r\n").wantBody(t, 200, "SECRET")
	s.rawRequest("GET", "/admin/secret.txt", "app.test").wantProblem(t, 401, "").wantHeader(t, "WWW-Authenticate", "Basic")

	targets := []string{
		"/admin%2Fsecret.txt", "/admin%2fsecret.txt", "/admin%5Csecret.txt", `/admin\secret.txt`,
		"/public%2F..%2Fadmin%2Fsecret.txt", "/public/../admin/secret.txt", "/public/%2e%2e/admin/secret.txt",
		"/public/..%2Fadmin/secret.txt", "/public/..%5cadmin/secret.txt", `/public/..\admin\secret.txt`,
		"/admin%252Fsecret.txt", "/admin%25252Fsecret.txt", "//admin/secret.txt", "///admin/secret.txt", "/./admin/secret.txt",
		"/admin/./secret.txt", "/admin//secret.txt", "/%2e/admin/secret.txt", "/ADMIN/secret.txt", "/Admin/secret.txt",
		"/%61dmin/secret.txt", "/%61%64%6d%69%6e%2Fsecret.txt", "/admin%2Fsecret.txt|", "/admin%2Fsecret.txt\"", "/admin%2Fsecret.txté",
		"/admin/secret.txt%0a", "/admin%0a/secret.txt", "/admin%00/secret.txt", "/admin;/secret.txt", "/admin/secret.txt;x=1",
		"/admin%09/secret.txt", "/admin%20/secret.txt", "/admin./secret.txt", "/admin::$DATA/secret.txt", "/admin%c0%afsecret.txt",
		"/admin%e2%81%84secret.txt", "/admin%ef%bc%8fsecret.txt", "/.%00./admin/secret.txt", "/x/..;/admin/secret.txt",
		"http://app.test/admin/secret.txt", "http://app.test//admin/secret.txt", "http://admin/secret.txt",
		"/etc/passwd", "/etc%2Fpasswd", "/../etc/passwd", "/%2e%2e/etc/passwd", "/etc/../etc/passwd",
		"/admin", "/admin/", "/admin?p=secret.txt", "/", "/public", "/public/",
	}
	for _, target := range targets {
		for _, method := range []string{"GET", "HEAD", "POST", "get"} {
			res := s.rawRequest(method, target, "app.test")
			allowed := []int{400, 401, 403, 404, 405}
			if !slices.Contains(allowed, res.status) || strings.Contains(res.body, "SECRET") || strings.Contains(res.body, "root:") {
				t.Errorf("%s %q:\n%s", method, target, res)
			}
		}
	}
}
