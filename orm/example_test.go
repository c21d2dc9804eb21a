package orm_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/ishaa-framework/ishaa/orm"
	_ "github.com/ishaa-framework/ishaa/orm/sqlite"
)

// Person writes articles.
type Person struct {
	orm.Model
	Name     string `db:"size:100"`
	Email    string `db:"unique"`
	Age      *int
	Articles orm.Many[Article]
}

// Article belongs to the person whose key is in PersonID.
type Article struct {
	orm.Model
	Title    string
	Words    int `db:"default:100"`
	PersonID int64
	Person   orm.One[Person] `db:"on_delete:cascade"`
	Topics   orm.ManyToMany[Topic]
}

// Topic is what articles are about.
type Topic struct {
	Name string `db:"pk,size:40"`
}

// press is a database with three articles of two people.
func press() (context.Context, *orm.DB) {
	ctx := context.Background()
	db, err := orm.Open("sqlite://:memory:")
	must(err)
	orm.Register[Person](db)
	must(db.CreateTables(ctx))
	forty := 40
	ann, err := orm.Of[Person](db).Create(ctx, Person{Name: "Ann", Email: "ann@example.org", Age: &forty})
	must(err)
	bob, err := orm.Of[Person](db).Create(ctx, Person{Name: "Bob", Email: "bob@example.org"})
	must(err)
	articles := []Article{{Title: "Go", Words: 300, PersonID: ann.ID}, {Title: "SQL", Words: 200, PersonID: ann.ID}, {Title: "Tea", PersonID: bob.ID}}
	must(orm.Of[Article](db).CreateMany(ctx, articles))
	must(orm.Of[Topic](db).CreateMany(ctx, []Topic{{"code"}, {"data"}}))
	must(orm.Of[Article](db).Link(ctx, &articles[0], "Topics", "code"))
	must(orm.Of[Article](db).Link(ctx, &articles[1], "Topics", "code", "data"))
	return ctx, db
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func Example() {
	ctx, db := press()
	defer db.Close()
	people := orm.Of[Person](db)

	carl, err := people.Create(ctx, Person{Name: "Carl", Email: "carl@example.org"})
	must(err)
	carl.Name = "Karl"
	must(people.Save(ctx, &carl))
	carl, err = people.Get(ctx, carl.ID)
	must(err)
	fmt.Println(carl.ID, carl.Name)

	_, err = people.Create(ctx, Person{Name: "Another", Email: "carl@example.org"})
	fmt.Println(errors.Is(err, orm.ErrUnique))
	must(people.Delete(ctx, &carl))
	_, err = people.Get(ctx, carl.ID)
	fmt.Println(errors.Is(err, orm.ErrNotFound))
	// Output:
	// 3 Karl
	// true
	// true
}

func ExampleQuery_Filter() {
	ctx, db := press()
	defer db.Close()
	articles := orm.Of[Article](db)

	list, err := articles.Filter("words__gte", 100, orm.Or(orm.Q("title__startswith", "G"), orm.Q("person__age__isnull", true))).
		OrderBy("-words").All(ctx)
	must(err)
	for _, a := range list {
		fmt.Println(a.Title, a.Words)
	}
	n, err := articles.Exclude("topics__name", "code").Count(ctx)
	fmt.Println(n, err)
	_, err = articles.Filter("wrods__gte", 100).All(ctx)
	fmt.Println(err)
	// Output:
	// Go 300
	// Tea 100
	// 1 <nil>
	// orm: Article has no field "wrods" (in "wrods__gte"); did you mean "words"?
}

func ExampleQuery_With() {
	ctx, db := press()
	defer db.Close()
	people, err := orm.Of[Person](db).With("Articles.Topics").OrderBy("name").All(ctx)
	must(err)
	for _, p := range people {
		fmt.Print(p.Name, ":")
		for _, a := range p.Articles.All() {
			fmt.Print(" ", a.Title, "/", a.Topics.Len())
		}
		fmt.Println()
	}
	// Output:
	// Ann: Go/1 SQL/2
	// Bob: Tea/0
}

func ExampleQuery_Update() {
	ctx, db := press()
	defer db.Close()
	n, err := orm.Of[Article](db).Filter("person__name", "Ann").Update(ctx, orm.Set{"words": orm.F("words").Mul(2)})
	fmt.Println(n, err)
	// Output: 2 <nil>
}

func ExampleQuery_Values() {
	ctx, db := press()
	defer db.Close()
	var rows []struct {
		Author string
		Words  int
		Mean   float64
	}
	err := orm.Of[Article](db).OrderBy("-words").Having("words__gt", 50).Values(ctx, &rows,
		orm.F("person__name").As("author"), orm.Sum("words").As("words"), orm.Avg("words").As("mean"))
	fmt.Println(rows, err)
	var titles []string
	err = orm.Of[Article](db).OrderBy("title").Values(ctx, &titles, orm.Upper(orm.F("title")).As("title"))
	fmt.Println(titles, err)
	// Output:
	// [{Ann 500 250} {Bob 100 100}] <nil>
	// [GO SQL TEA] <nil>
}

func ExampleQuery_Page() {
	ctx, db := press()
	defer db.Close()
	list := orm.Of[Article](db).OrderBy("-words")
	page, err := list.Page(ctx, orm.PageRequest{Size: 2})
	must(err)
	fmt.Println(page.Rows[0].Title, page.Rows[1].Title, page.Previous == "")
	page, err = list.Page(ctx, orm.PageRequest{Size: 2, After: page.Next})
	must(err)
	fmt.Println(page.Rows[0].Title, page.Next == "")
	// Output:
	// Go SQL true
	// Tea true
}

func ExampleQuery_Iter() {
	ctx, db := press()
	defer db.Close()
	for article, err := range orm.Of[Article](db).OrderBy("id").Iter(ctx) {
		must(err)
		fmt.Println(article.Title)
		if article.Words == 200 {
			break
		}
	}
	// Output:
	// Go
	// SQL
}

func ExampleDB_Tx() {
	ctx, db := press()
	defer db.Close()
	err := db.Tx(ctx, func(tx *orm.Tx) error {
		ann, err := orm.Of[Person](tx).Filter("name", "Ann").ForUpdate().One(ctx)
		if err != nil {
			return err
		}
		if _, err := orm.Of[Article](tx).Create(ctx, Article{Title: "Draft", PersonID: ann.ID}); err != nil {
			return err
		}
		return errors.New("on second thought") // everything is undone
	})
	n, _ := orm.Of[Article](db).Count(ctx)
	fmt.Println(err, n)
	// Output: on second thought 3
}
