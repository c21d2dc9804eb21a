package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/ishaa-framework/ishaa"
	"github.com/ishaa-framework/ishaa/orm"
)

func states(app *ishaa.App, db *orm.DB) {
	bug46(app)
	fix46(app)
	bug47(app)
	fix47(app)
	bug48(app)
	fix48(app)
	bug49(app, db)
	fix49(app, db)
	bug50(app)
	fix50(app)
	bug51(app, db)
	fix51(app, db)
	bug52(app, db)
	fix52(app, db)
	bug53(app, db)
	fix53(app, db)
	bug54(app)
	fix54(app)
}

type basket struct {
	mu       sync.Mutex
	balance  float64
	accepted int
}

func (b *basket) show(*ishaa.Request) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return map[string]string{"balance": fmt.Sprintf("%.2f", b.balance), "accepted": strconv.Itoa(b.accepted)}, nil
}

type buy struct {
	Body struct {
		Count int `json:"count" required:"true" maximum:"100"`
	}
}

type safeBuy struct {
	Body struct {
		Count int `json:"count" required:"true" minimum:"1" maximum:"100"`
	}
}

// 46: fewer than none are bought, and money comes back.
func bug46(app *ishaa.App) {
	b := &basket{balance: 500}
	ishaa.Post(app, "/bug/46/orders", func(_ context.Context, in *buy) (string, error) { return b.take(float64(in.Body.Count) * 12.5) })
	app.Get("/bug/46/account", b.show)
}

func fix46(app *ishaa.App) {
	b := &basket{balance: 500}
	ishaa.Post(app, "/fix/46/orders", func(_ context.Context, in *safeBuy) (string, error) { return b.take(float64(in.Body.Count) * 12.5) })
	app.Get("/fix/46/account", b.show)
}

func (b *basket) take(cost float64) (string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if cost > b.balance {
		return "", ishaa.Conflict("not enough money")
	}
	b.balance -= cost
	b.accepted++
	return fmt.Sprintf("%.2f", cost), nil
}

// 47: an amount that is not a number.
func bug47(app *ishaa.App) {
	b := &basket{balance: 500}
	app.Post("/bug/47/transfers", func(r *ishaa.Request) (any, error) {
		amount, err := strconv.ParseFloat(r.Query("amount"), 64)
		if err != nil || amount <= 0 {
			return nil, ishaa.BadRequest("amount")
		}
		return b.take(amount)
	})
	app.Get("/bug/47/account", b.show)
}

func fix47(app *ishaa.App) {
	b := &basket{balance: 500}
	app.Post("/fix/47/transfers", func(r *ishaa.Request) (any, error) {
		amount, err := strconv.ParseFloat(r.Query("amount"), 64)
		if err != nil || !(amount > 0 && amount < 1e9) {
			return nil, ishaa.BadRequest("amount")
		}
		return b.take(amount)
	})
	app.Get("/fix/47/account", b.show)
}

type note struct {
	Title string `json:"title"`
}

// 48: what cannot be read is kept as if it were empty.
func bug48(app *ishaa.App) {
	s := &shelf{}
	app.Post("/bug/48/notes", func(r *ishaa.Request) (any, error) {
		var in note
		_ = r.DecodeJSON(&in)
		s.add(in.Title)
		return len(s.all()), nil
	})
	app.Get("/bug/48/notes", func(*ishaa.Request) (any, error) { return s.all(), nil })
}

func fix48(app *ishaa.App) {
	s := &shelf{}
	app.Post("/fix/48/notes", func(r *ishaa.Request) (any, error) {
		var in note
		if err := r.DecodeJSON(&in); err != nil {
			return nil, err
		}
		s.add(in.Title)
		return len(s.all()), nil
	})
	app.Get("/fix/48/notes", func(*ishaa.Request) (any, error) { return s.all(), nil })
}

type newOrder struct {
	Body struct {
		Name  string `json:"name" required:"true" minLength:"1" maxLength:"80"`
		Count int    `json:"count" required:"true"`
	}
}

// 49: an order that is refused, and half of it stays.
func bug49(app *ishaa.App, db *orm.DB) {
	ishaa.Post(app, "/bug/49/orders", func(ctx context.Context, in *newOrder) (int64, error) {
		n, err := orm.Of[Note](db).Create(ctx, Note{Owner: "bug49", Text: in.Body.Name})
		if err != nil {
			return 0, err
		}
		if in.Body.Count < 1 || in.Body.Count > 50 {
			return 0, ishaa.Conflict("1 to 50 can be had")
		}
		_, err = orm.Of[Line](db).Create(ctx, Line{Order: in.Body.Name, Count: in.Body.Count})
		return n.ID, err
	})
	app.Get("/bug/49/orders", func(r *ishaa.Request) (any, error) {
		list, err := orm.Of[Note](db).Filter("owner", "bug49").OrderBy("id").All(r.Context())
		return texts(list), err
	})
}

func fix49(app *ishaa.App, db *orm.DB) {
	ishaa.Post(app, "/fix/49/orders", func(ctx context.Context, in *newOrder) (id int64, err error) {
		err = db.Tx(ctx, func(tx *orm.Tx) error {
			n, err := orm.Of[Note](tx).Create(ctx, Note{Owner: "fix49", Text: in.Body.Name})
			if err != nil {
				return err
			}
			if in.Body.Count < 1 || in.Body.Count > 50 {
				return ishaa.Conflict("1 to 50 can be had")
			}
			id = n.ID
			_, err = orm.Of[Line](tx).Create(ctx, Line{Order: in.Body.Name, Count: in.Body.Count})
			return err
		})
		return id, err
	})
	app.Get("/fix/49/orders", func(r *ishaa.Request) (any, error) {
		list, err := orm.Of[Note](db).Filter("owner", "fix49").OrderBy("id").All(r.Context())
		return texts(list), err
	})
}

// 50: money that comes back as often as it is asked for.
func bug50(app *ishaa.App) {
	var mu sync.Mutex
	paid, back := 100, 0
	app.Post("/bug/50/refund", func(*ishaa.Request) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		back += paid
		return back, nil
	})
	app.Get("/bug/50/account", func(*ishaa.Request) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		return map[string]int{"paid": paid, "back": back}, nil
	})
}

func fix50(app *ishaa.App) {
	var mu sync.Mutex
	paid, back := 100, 0
	app.Post("/fix/50/refund", func(*ishaa.Request) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		if back > 0 {
			return nil, ishaa.Conflict("paid back already")
		}
		back += paid
		return back, nil
	})
	app.Get("/fix/50/account", func(*ishaa.Request) (any, error) {
		mu.Lock()
		defer mu.Unlock()
		return map[string]int{"paid": paid, "back": back}, nil
	})
}

// 51: a code for one use that several get in with.
func bug51(app *ishaa.App, db *orm.DB) {
	app.Post("/bug/51/redeem", func(r *ishaa.Request) (any, error) {
		found, err := orm.Of[Reset](db).Filter("owner", "ada").One(r.Context())
		if err != nil {
			return nil, err
		}
		if found.Used {
			return nil, ishaa.Conflict("used before")
		}
		found.Used = true
		if err := orm.Of[Reset](db).Save(r.Context(), &found); err != nil {
			return nil, err
		}
		_, err = orm.Of[Note](db).Create(r.Context(), Note{Owner: "bug51", Text: "redeemed"})
		return "redeemed", err
	})
	app.Get("/bug/51/redeemed", func(r *ishaa.Request) (any, error) {
		return orm.Of[Note](db).Filter("owner", "bug51").Count(r.Context())
	})
}

func fix51(app *ishaa.App, db *orm.DB) {
	app.Post("/fix/51/redeem", func(r *ishaa.Request) (any, error) {
		n, err := orm.Of[Reset](db).Filter("owner", "ada", "used", false).Update(r.Context(), orm.Set{"used": true})
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, ishaa.Conflict("used before")
		}
		_, err = orm.Of[Note](db).Create(r.Context(), Note{Owner: "fix51", Text: "redeemed"})
		return "redeemed", err
	})
	app.Get("/fix/51/redeemed", func(r *ishaa.Request) (any, error) {
		return orm.Of[Note](db).Filter("owner", "fix51").Count(r.Context())
	})
}

// 52: a name that two get at once.
func bug52(app *ishaa.App, db *orm.DB) {
	ishaa.Post(app, "/bug/52/register", func(ctx context.Context, in *newName) (int64, error) {
		same, err := orm.Of[Note](db).Filter("owner", "bug52", "text", in.Body.Name).Count(ctx)
		if err != nil {
			return 0, err
		}
		if same > 0 {
			return 0, ishaa.Conflict("the name is taken")
		}
		n, err := orm.Of[Note](db).Create(ctx, Note{Owner: "bug52", Text: in.Body.Name})
		return min(n.ID, 1), err
	})
	app.Get("/bug/52/members", func(r *ishaa.Request) (any, error) {
		list, err := orm.Of[Note](db).Filter("owner", "bug52").OrderBy("id").All(r.Context())
		return texts(list), err
	})
}

func fix52(app *ishaa.App, db *orm.DB) {
	var mu sync.Mutex
	ishaa.Post(app, "/fix/52/register", func(ctx context.Context, in *newName) (int64, error) {
		mu.Lock()
		defer mu.Unlock()
		same, err := orm.Of[Note](db).Filter("owner", "fix52", "text", in.Body.Name).Count(ctx)
		if err != nil {
			return 0, err
		}
		if same > 0 {
			return 0, ishaa.Conflict("the name is taken")
		}
		n, err := orm.Of[Note](db).Create(ctx, Note{Owner: "fix52", Text: in.Body.Name})
		return min(n.ID, 1), err
	})
	app.Get("/fix/52/members", func(r *ishaa.Request) (any, error) {
		list, err := orm.Of[Note](db).Filter("owner", "fix52").OrderBy("id").All(r.Context())
		return texts(list), err
	})
}

// 53: what is deleted can still be read.
func bug53(app *ishaa.App, db *orm.DB) {
	ishaa.Post(app, "/bug/53/posts", func(ctx context.Context, in *newText) (map[string]int64, error) {
		n, err := orm.Of[Note](db).Create(ctx, Note{Owner: "bug53", Text: in.Body.Text})
		return map[string]int64{"id": n.ID}, err
	})
	app.Get("/bug/53/posts/<int:id>", func(r *ishaa.Request) (any, error) {
		n, err := orm.Of[Note](db).Filter("id", r.ParamInt("id")).One(r.Context())
		return map[string]any{"id": n.ID, "text": n.Text}, err
	})
	app.Delete("/bug/53/posts/<int:id>", func(r *ishaa.Request) (any, error) {
		n, err := orm.Of[Note](db).Filter("id", r.ParamInt("id"), "owner", "bug53").One(r.Context())
		if err != nil {
			return nil, err
		}
		n.Owner = "deleted"
		return nil, orm.Of[Note](db).Save(r.Context(), &n)
	})
}

func fix53(app *ishaa.App, db *orm.DB) {
	ishaa.Post(app, "/fix/53/posts", func(ctx context.Context, in *newText) (map[string]int64, error) {
		n, err := orm.Of[Note](db).Create(ctx, Note{Owner: "fix53", Text: in.Body.Text})
		return map[string]int64{"id": n.ID}, err
	})
	app.Get("/fix/53/posts/<int:id>", func(r *ishaa.Request) (any, error) {
		n, err := orm.Of[Note](db).Filter("id", r.ParamInt("id"), "owner", "fix53").One(r.Context())
		return map[string]any{"id": n.ID, "text": n.Text}, err
	})
	app.Delete("/fix/53/posts/<int:id>", func(r *ishaa.Request) (any, error) {
		n, err := orm.Of[Note](db).Filter("id", r.ParamInt("id"), "owner", "fix53").One(r.Context())
		if err != nil {
			return nil, err
		}
		n.Owner = "deleted"
		return nil, orm.Of[Note](db).Save(r.Context(), &n)
	})
}

// 54: an answer to one client that holds what another one sent.
func bug54(app *ishaa.App) {
	line := make([]byte, 0, 8192)
	app.Get("/bug/54/echo", func(r *ishaa.Request) (any, error) {
		line = append(line[:0], "you said "...)
		line = append(line, r.Query("text")...)
		return ishaa.Text(string(line)), nil
	})
}

func fix54(app *ishaa.App) {
	lines := sync.Pool{New: func() any { b := make([]byte, 0, 8192); return &b }}
	app.Get("/fix/54/echo", func(r *ishaa.Request) (any, error) {
		line := lines.Get().(*[]byte)
		*line = append((*line)[:0], "you said "...)
		*line = append(*line, r.Query("text")...)
		text := string(slices.Clone(*line))
		lines.Put(line)
		return ishaa.Text(text), nil
	})
}
