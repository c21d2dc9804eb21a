package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
)

func access(app *ishaa.App, db *orm.DB) {
	bug13(app, db)
	fix13(app, db)
	bug14(app, db)
	fix14(app, db)
	bug15(app)
	fix15(app)
	bug16(app)
	fix16(app)
	bug17(app)
	fix17(app)
	bug18(app, db)
	fix18(app, db)
	bug19(app, db)
	fix19(app, db)
	bug20(app)
	fix20(app)
	bug21(app)
	fix21(app)
	bug22(app)
	fix22(app)
	bug23(app)
	fix23(app)
}

// 13: anybody who is signed in deletes what is somebody else's.
func bug13(app *ishaa.App, db *orm.DB) {
	app.Delete("/bug/13/notes/<int:id>", func(r *ishaa.Request) (any, error) {
		if who(r) == "" {
			return nil, ishaa.Unauthorized("sign in")
		}
		n, err := orm.Of[Note](db).Get(r.Context(), r.ParamInt("id"))
		if err != nil {
			return nil, err
		}
		return nil, orm.Of[Note](db).Delete(r.Context(), &n)
	})
	app.Get("/bug/13/notes", func(r *ishaa.Request) (any, error) {
		if who(r) == "" {
			return nil, ishaa.Unauthorized("sign in")
		}
		list, err := orm.Of[Note](db).Filter("owner", who(r)).OrderBy("id").All(r.Context())
		return texts(list), err
	})
}

func fix13(app *ishaa.App, db *orm.DB) {
	app.Delete("/fix/13/notes/<int:id>", func(r *ishaa.Request) (any, error) {
		if who(r) == "" {
			return nil, ishaa.Unauthorized("sign in")
		}
		n, err := orm.Of[Note](db).Filter("id", r.ParamInt("id"), "owner", who(r)).One(r.Context())
		if err != nil {
			return nil, err
		}
		return nil, orm.Of[Note](db).Delete(r.Context(), &n)
	})
	app.Get("/fix/13/notes", func(r *ishaa.Request) (any, error) {
		if who(r) == "" {
			return nil, ishaa.Unauthorized("sign in")
		}
		list, err := orm.Of[Note](db).Filter("owner", who(r)).OrderBy("id").All(r.Context())
		return texts(list), err
	})
}

func texts(list []Note) []string {
	out := []string{}
	for _, n := range list {
		out = append(out, n.Text)
	}
	return out
}

// 14: a list of everybody's for each who is signed in.
func bug14(app *ishaa.App, db *orm.DB) {
	app.Get("/bug/14/wallets", func(r *ishaa.Request) (any, error) {
		if who(r) == "" {
			return nil, ishaa.Unauthorized("sign in")
		}
		list, err := orm.Of[Wallet](db).OrderBy("id").All(r.Context())
		return wallets(list), err
	})
}

func fix14(app *ishaa.App, db *orm.DB) {
	app.Get("/fix/14/wallets", func(r *ishaa.Request) (any, error) {
		if who(r) == "" {
			return nil, ishaa.Unauthorized("sign in")
		}
		list, err := orm.Of[Wallet](db).Filter("owner", who(r)).OrderBy("id").All(r.Context())
		return wallets(list), err
	})
}

type wallet struct {
	Owner   string `json:"owner"`
	Balance int    `json:"balance"`
}

func wallets(list []Wallet) []wallet {
	out := []wallet{}
	for _, w := range list {
		out = append(out, wallet{w.Owner, w.Balance})
	}
	return out
}

// 15: an administrator's work for everybody who is signed in.
func bug15(app *ishaa.App) {
	s := &shelf{}
	app.Post("/bug/15/admin/banner", func(r *ishaa.Request) (any, error) {
		if who(r) == "" {
			return nil, ishaa.Unauthorized("sign in")
		}
		s.add(r.Query("text"))
		return 1, nil
	})
	app.Get("/bug/15/banner", func(r *ishaa.Request) (any, error) { return s.all(), nil })
}

func fix15(app *ishaa.App) {
	s := &shelf{}
	app.Post("/fix/15/admin/banner", func(r *ishaa.Request) (any, error) {
		if who(r) == "" {
			return nil, ishaa.Unauthorized("sign in")
		}
		if users[who(r)] != "admin" {
			return nil, ishaa.Forbidden("administrators only")
		}
		s.add(r.Query("text"))
		return 1, nil
	})
	app.Get("/fix/15/banner", func(r *ishaa.Request) (any, error) { return s.all(), nil })
}

// 16: a name that a proxy should have set, and anybody can.
func bug16(app *ishaa.App) {
	app.Get("/bug/16/me", func(r *ishaa.Request) (any, error) {
		name := r.Header("X-Forwarded-User")
		if name == "" {
			return nil, ishaa.Unauthorized("sign in")
		}
		return map[string]string{"name": name, "role": users[name]}, nil
	})
}

func fix16(app *ishaa.App) {
	app.Get("/fix/16/me", func(r *ishaa.Request) (any, error) {
		name := who(r)
		if name == "" {
			return nil, ishaa.Unauthorized("sign in")
		}
		return map[string]string{"name": name, "role": users[name]}, nil
	})
}

// 17: a cookie that says what its bearer may.
func bug17(app *ishaa.App) {
	app.Get("/bug/17/report", func(r *ishaa.Request) (any, error) {
		if role, _ := r.Cookie("role"); role != "admin" {
			return nil, ishaa.Forbidden("administrators only")
		}
		return map[string]int{"turnover": 58213}, nil
	})
}

func fix17(app *ishaa.App) {
	app.Get("/fix/17/report", func(r *ishaa.Request) (any, error) {
		if users[who(r)] != "admin" {
			return nil, ishaa.Forbidden("administrators only")
		}
		return map[string]int{"turnover": 58213}, nil
	})
}

// 18: a right that is given when it cannot be looked up.
func bug18(app *ishaa.App, db *orm.DB) {
	app.Get("/bug/18/plans", func(r *ishaa.Request) (any, error) {
		barred, err := orm.Of[Note](db).Filter("owner", "barred", "text", r.Query("name")).Count(r.Context())
		if err == nil && barred > 0 {
			return nil, ishaa.Forbidden("not for you")
		}
		return map[string]string{"plan": "buy the company"}, nil
	})
}

func fix18(app *ishaa.App, db *orm.DB) {
	app.Get("/fix/18/plans", func(r *ishaa.Request) (any, error) {
		barred, err := orm.Of[Note](db).Filter("owner", "barred", "text", r.Query("name")).Count(r.Context())
		if err != nil {
			return nil, err
		}
		if barred > 0 {
			return nil, ishaa.Forbidden("not for you")
		}
		return map[string]string{"plan": "buy the company"}, nil
	})
}

// 19: a link that deletes.
func bug19(app *ishaa.App, db *orm.DB) {
	app.Get("/bug/19/notes/clear", func(r *ishaa.Request) (any, error) {
		_, err := orm.Of[Note](db).Filter("owner", "ada").Delete(r.Context())
		return "cleared", err
	})
	app.Get("/bug/19/notes", func(r *ishaa.Request) (any, error) {
		list, err := orm.Of[Note](db).Filter("owner", "ada").OrderBy("id").All(r.Context())
		return texts(list), err
	})
}

func fix19(app *ishaa.App, db *orm.DB) {
	app.Post("/fix/19/notes/clear", func(r *ishaa.Request) (any, error) {
		_, err := orm.Of[Note](db).Filter("owner", "ada").Delete(r.Context())
		return "cleared", err
	})
	app.Get("/fix/19/notes", func(r *ishaa.Request) (any, error) {
		list, err := orm.Of[Note](db).Filter("owner", "ada").OrderBy("id").All(r.Context())
		return texts(list), err
	})
}

// 20: a private answer that every cache on the way may keep.
func bug20(app *ishaa.App) {
	app.Get("/bug/20/me", func(r *ishaa.Request) (any, error) {
		if who(r) == "" {
			return nil, ishaa.Unauthorized("sign in")
		}
		return ishaa.JSON(map[string]string{"name": who(r)}).WithHeader("Cache-Control", "public, max-age=3600"), nil
	})
}

func fix20(app *ishaa.App) {
	app.Get("/fix/20/me", func(r *ishaa.Request) (any, error) {
		if who(r) == "" {
			return nil, ishaa.Unauthorized("sign in")
		}
		return ishaa.JSON(map[string]string{"name": who(r)}).WithHeader("Cache-Control", "private, no-store"), nil
	})
}

// 21: a signed token whose signature nobody looks at.
func bug21(app *ishaa.App) {
	app.Get("/bug/21/account", func(r *ishaa.Request) (any, error) {
		parts := strings.Split(strings.TrimPrefix(r.Header("Authorization"), "Bearer "), ".")
		if len(parts) != 3 {
			return nil, ishaa.Unauthorized("sign in")
		}
		var claims struct {
			Subject string `json:"sub"`
		}
		text, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil || json.Unmarshal(text, &claims) != nil || claims.Subject == "" {
			return nil, ishaa.Unauthorized("sign in")
		}
		return map[string]string{"account": claims.Subject}, nil
	})
}

func fix21(app *ishaa.App) {
	key := []byte(os.Getenv("SEEDED_KEY"))
	app.Get("/fix/21/account", func(r *ishaa.Request) (any, error) {
		parts := strings.Split(strings.TrimPrefix(r.Header("Authorization"), "Bearer "), ".")
		if len(parts) != 3 || len(key) == 0 {
			return nil, ishaa.Unauthorized("sign in")
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(parts[0] + "." + parts[1]))
		signature, err := base64.RawURLEncoding.DecodeString(parts[2])
		if err != nil || !hmac.Equal(signature, mac.Sum(nil)) {
			return nil, ishaa.Unauthorized("sign in")
		}
		var claims struct {
			Subject string `json:"sub"`
		}
		text, err := base64.RawURLEncoding.DecodeString(parts[1])
		if err != nil || json.Unmarshal(text, &claims) != nil || claims.Subject == "" {
			return nil, ishaa.Unauthorized("sign in")
		}
		return map[string]string{"account": claims.Subject}, nil
	})
}

// published is a folder with a page and, as it happens, settings.
var published = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "published")
	if err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, ".env"), []byte("PASSWORD=58213\n"), 0o600); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "index.txt"), []byte("welcome"), 0o600)
})

// 22: files that only happen to lie in the folder.
func bug22(app *ishaa.App) {
	app.Get("/bug/22/site/<path:name>", func(r *ishaa.Request) (any, error) {
		dir, err := published()
		if err != nil {
			return nil, err
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, err
		}
		defer root.Close()
		text, err := root.ReadFile(r.Param("name"))
		if err != nil {
			return nil, ishaa.NotFound("no such page")
		}
		return ishaa.Text(string(text)), nil
	})
}

func fix22(app *ishaa.App) {
	app.Get("/fix/22/site/<path:name>", func(r *ishaa.Request) (any, error) {
		for part := range strings.SplitSeq(r.Param("name"), "/") {
			if strings.HasPrefix(part, ".") {
				return nil, ishaa.NotFound("no such page")
			}
		}
		dir, err := published()
		if err != nil {
			return nil, err
		}
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, err
		}
		defer root.Close()
		text, err := root.ReadFile(r.Param("name"))
		if err != nil {
			return nil, ishaa.NotFound("no such page")
		}
		return ishaa.Text(string(text)), nil
	})
}

// 23: any site may read with the visitor's cookies.
func bug23(app *ishaa.App) {
	app.Get("/bug/23/profile", func(r *ishaa.Request) (any, error) {
		res := ishaa.JSON(map[string]string{"name": "Ada"})
		if origin := r.Header("Origin"); origin != "" {
			res = res.WithHeader("Access-Control-Allow-Origin", origin).WithHeader("Access-Control-Allow-Credentials", "true").WithHeader("Vary", "Origin")
		}
		return res, nil
	})
}

func fix23(app *ishaa.App) {
	app.Get("/fix/23/profile", func(r *ishaa.Request) (any, error) {
		res := ishaa.JSON(map[string]string{"name": "Ada"})
		if origin := r.Header("Origin"); origin == "https://partner.example" {
			res = res.WithHeader("Access-Control-Allow-Origin", origin).WithHeader("Access-Control-Allow-Credentials", "true").WithHeader("Vary", "Origin")
		}
		return res, nil
	})
}
