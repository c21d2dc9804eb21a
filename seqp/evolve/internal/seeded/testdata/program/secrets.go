package main

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	crand "crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/hex"
	"math/rand"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
)

func secrets(app *ishaa.App, db *orm.DB) {
	bug24(app, db)
	fix24(app, db)
	bug25(app)
	fix25(app)
	bug26(app)
	fix26(app)
	bug27(app)
	fix27(app)
	bug28(app)
	fix28(app)
	bug29(app)
	fix29(app)
	bug30(app)
	fix30(app)
	bug31(app)
	fix31(app)
	bug32(app)
	fix32(app)
	bug33(app)
	fix33(app)
	bug34(app)
	fix34(app)
	bug35(app)
	fix35(app)
	bug36(app)
	fix36(app)
}

// 24: what went wrong, told to whoever asked, with the statement.
func bug24(app *ishaa.App, db *orm.DB) {
	app.Get("/bug/24/search", func(r *ishaa.Request) (any, error) {
		list, err := orm.Of[Note](db).Filter("text", r.Query("q")).OrderBy("id").All(r.Context())
		if err != nil {
			return nil, ishaa.Unavailable("search: %v", err)
		}
		return len(list), nil
	})
}

func fix24(app *ishaa.App, db *orm.DB) {
	app.Get("/fix/24/search", func(r *ishaa.Request) (any, error) {
		list, err := orm.Of[Note](db).Filter("text", r.Query("q")).OrderBy("id").All(r.Context())
		if err != nil {
			r.Logger().Error("search", "err", err)
			return nil, ishaa.Unavailable("search does not work at the moment")
		}
		return len(list), nil
	})
}

type openMember struct {
	Name         string `json:"name"`
	PasswordHash string `json:"password_hash"`
}

type member struct {
	Name         string `json:"name"`
	PasswordHash string `json:"-"`
}

// 25: more of a record than its readers should have.
func bug25(app *ishaa.App) {
	list := []openMember{{"ada", "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"}}
	app.Get("/bug/25/members", func(r *ishaa.Request) (any, error) { return list, nil })
}

func fix25(app *ishaa.App) {
	list := []member{{"ada", "$2a$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy"}}
	app.Get("/fix/25/members", func(r *ishaa.Request) (any, error) { return list, nil })
}

// 26: a secret that is compared letter by letter.
func bug26(app *ishaa.App) {
	secret := os.Getenv("SEEDED_HOOK")
	app.Post("/bug/26/hook", func(r *ishaa.Request) (any, error) {
		if secret == "" || r.Header("X-Token") != secret {
			return nil, ishaa.Unauthorized("no")
		}
		return 1, nil
	})
}

func fix26(app *ishaa.App) {
	secret := os.Getenv("SEEDED_HOOK")
	app.Post("/fix/26/hook", func(r *ishaa.Request) (any, error) {
		if secret == "" || subtle.ConstantTimeCompare([]byte(r.Header("X-Token")), []byte(secret)) != 1 {
			return nil, ishaa.Unauthorized("no")
		}
		return 1, nil
	})
}

// 27: a secret that can be guessed.
func bug27(app *ishaa.App) {
	app.Post("/bug/27/invitations", func(r *ishaa.Request) (any, error) {
		token := make([]byte, 16)
		for i := range token {
			token[i] = "abcdefghijklmnopqrstuvwxyz"[rand.Intn(26)]
		}
		return map[string]string{"token": string(token)}, nil
	})
}

func fix27(app *ishaa.App) {
	app.Post("/fix/27/invitations", func(r *ishaa.Request) (any, error) {
		return map[string]string{"token": crand.Text()}, nil
	})
}

type credentials struct {
	Body struct {
		Name     string `json:"name" required:"true" maxLength:"80"`
		Password string `json:"password" required:"true" maxLength:"200"`
	}
}

// 28: passwords under a hash that is quick to try.
func bug28(app *ishaa.App) {
	s := &shelf{}
	ishaa.Post(app, "/bug/28/register", func(_ context.Context, in *credentials) (int, error) {
		sum := md5.Sum([]byte(in.Body.Password))
		s.add(in.Body.Name + ":" + hex.EncodeToString(sum[:]))
		return len(s.all()), nil
	})
}

func fix28(app *ishaa.App) {
	s := &shelf{}
	ishaa.Post(app, "/fix/28/register", func(_ context.Context, in *credentials) (int, error) {
		salt := make([]byte, 16)
		crand.Read(salt)
		key, err := pbkdf2.Key(sha256.New, in.Body.Password, salt, 1000, 32)
		if err != nil {
			return 0, err
		}
		s.add(in.Body.Name + ":" + hex.EncodeToString(salt) + ":" + hex.EncodeToString(key))
		return len(s.all()), nil
	})
}

// 29: a server whose certificate nobody looks at.
func bug29(app *ishaa.App) {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	app.Get("/bug/29/rates", func(r *ishaa.Request) (any, error) { return rates(r, client) })
}

func fix29(app *ishaa.App) {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS13}}}
	app.Get("/fix/29/rates", func(r *ishaa.Request) (any, error) { return rates(r, client) })
}

func rates(r *ishaa.Request, client *http.Client) (any, error) {
	ask, err := http.NewRequestWithContext(r.Context(), "GET", "https://127.0.0.1:1/rates", nil)
	if err != nil {
		return nil, err
	}
	res, err := client.Do(ask)
	if err != nil {
		return nil, ishaa.StatusError(424, "no rates today")
	}
	return res.StatusCode, res.Body.Close()
}

// 30: a cookie that scripts can read.
func bug30(app *ishaa.App) {
	app.Post("/bug/30/session", func(r *ishaa.Request) (any, error) {
		return ishaa.JSON(1).WithHeader("Set-Cookie", "session="+crand.Text()+"; Path=/"), nil
	})
}

func fix30(app *ishaa.App) {
	app.Post("/fix/30/session", func(r *ishaa.Request) (any, error) {
		return ishaa.JSON(1).WithCookie(&http.Cookie{Name: "session", Value: crand.Text(), Path: "/", HttpOnly: true, Secure: true, SameSite: http.SameSiteLaxMode}), nil
	})
}

type forgotten struct {
	Body struct {
		Email string `json:"email" required:"true" format:"email"`
	}
}

// 31: a link with a secret, to the host that the client names.
func bug31(app *ishaa.App) {
	s := &shelf{}
	app.Post("/bug/31/forgotten", func(r *ishaa.Request) (any, error) {
		host := r.Header("X-Forwarded-Host")
		if host == "" {
			host = r.Host()
		}
		s.add("To choose another password: https://" + host + "/reset/" + crand.Text())
		return 1, nil
	})
	app.Get("/bug/31/outbox", func(r *ishaa.Request) (any, error) { return ishaa.Text(lastOf(s.all())), nil })
}

func fix31(app *ishaa.App) {
	s := &shelf{}
	app.Post("/fix/31/forgotten", func(r *ishaa.Request) (any, error) {
		s.add("To choose another password: https://shop.example.org/reset/" + crand.Text())
		return 1, nil
	})
	app.Get("/fix/31/outbox", func(r *ishaa.Request) (any, error) { return ishaa.Text(lastOf(s.all())), nil })
}

func lastOf(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1]
}

// 32: a key that everybody has who has the program.
func bug32(app *ishaa.App) {
	app.Get("/bug/32/ticket", func(r *ishaa.Request) (any, error) {
		mac := hmac.New(sha256.New, []byte("correct-horse-battery"))
		mac.Write([]byte(r.Query("seat")))
		return map[string]string{"ticket": hex.EncodeToString(mac.Sum(nil))}, nil
	})
}

func fix32(app *ishaa.App) {
	key := []byte(os.Getenv("SEEDED_KEY"))
	app.Get("/fix/32/ticket", func(r *ishaa.Request) (any, error) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(r.Query("seat")))
		return map[string]string{"ticket": hex.EncodeToString(mac.Sum(nil))}, nil
	})
}

// 33: a password in the journal.
func bug33(app *ishaa.App) {
	ishaa.Post(app, "/bug/33/login", func(ctx context.Context, in *credentials) (int, error) {
		ishaa.FromContext(ctx).Logger().Info("sign-in", "name", in.Body.Name, "password", in.Body.Password)
		return 0, ishaa.Unauthorized("name or password is wrong")
	})
}

func fix33(app *ishaa.App) {
	ishaa.Post(app, "/fix/33/login", func(ctx context.Context, in *credentials) (int, error) {
		ishaa.FromContext(ctx).Logger().Info("sign-in", "name", in.Body.Name)
		return 0, ishaa.Unauthorized("name or password is wrong")
	})
}

// 34: an answer that tells who has an account.
func bug34(app *ishaa.App) {
	ishaa.Post(app, "/bug/34/login", func(_ context.Context, in *credentials) (int, error) {
		if users[in.Body.Name] == "" {
			return 0, ishaa.Unauthorized("there is no account of that name")
		}
		return 0, ishaa.Unauthorized("the password is wrong")
	})
}

func fix34(app *ishaa.App) {
	ishaa.Post(app, "/fix/34/login", func(_ context.Context, in *credentials) (int, error) {
		if users[in.Body.Name] == "" {
			return 0, ishaa.Unauthorized("name or password is wrong")
		}
		return 0, ishaa.Unauthorized("name or password is wrong")
	})
}

// 35: a file that every account of the machine may write.
func bug35(app *ishaa.App) {
	app.Post("/bug/35/export", func(r *ishaa.Request) (any, error) {
		dir, err := os.MkdirTemp("", "export")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		return 1, os.WriteFile(filepath.Join(dir, "members.csv"), []byte("ada\n"), 0o666)
	})
}

func fix35(app *ishaa.App) {
	app.Post("/fix/35/export", func(r *ishaa.Request) (any, error) {
		dir, err := os.MkdirTemp("", "export")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		return 1, os.WriteFile(filepath.Join(dir, "members.csv"), []byte("ada\n"), 0o600)
	})
}

// 36: a name in a folder of everybody that can be known before.
func bug36(app *ishaa.App) {
	app.Post("/bug/36/draft", func(r *ishaa.Request) (any, error) {
		f, err := os.Create(filepath.Join(os.TempDir(), "seeded-draft.txt"))
		if err != nil {
			return nil, err
		}
		_, err = f.WriteString("secret")
		return 1, closed(f, err)
	})
}

func fix36(app *ishaa.App) {
	app.Post("/fix/36/draft", func(r *ishaa.Request) (any, error) {
		f, err := os.CreateTemp("", "draft")
		if err != nil {
			return nil, err
		}
		defer os.Remove(f.Name())
		_, err = f.WriteString("secret")
		return 1, closed(f, err)
	})
}

func closed(f *os.File, err error) error {
	if closing := f.Close(); err == nil {
		return closing
	}
	return err
}
