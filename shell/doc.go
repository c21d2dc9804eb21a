// Package shell is a prompt with the application's models, routes and settings at hand.
//
//	db, err := orm.Open("sqlite://app.db")
//	orm.Register[User](db)
//	app.Install(shell.New(db)) // ./program shell; ishaa shell
//
// The language is Starlark, a small Python (https://github.com/bazelbuild/starlark). Each registered model is there by its
// name:
//
//	>>> User.create(name="Alice", age=30)
//	>>> User.query().filter(age__gt=18).order_by("name").limit(10).all()
//	>>> user = User.get(1)
//	>>> user.age = 31
//	>>> user.save()
//	>>> User.query().filter(is_active=False).count()
//	>>> User.query().filter(age__lt=18).update(is_active=False)
//
// Lookups are those of package orm, and relations are attributes: user.posts. Beside the models there are routes, url, config
// (secrets are hidden), models, app, help, and Starlark's modules json, math and time.
//
// The Tab key completes names, methods, fields and lookups. Lines are kept from one time to the next in a file that nobody
// else may read, except those that begin with a blank. Ctrl-C ends a query that runs, or gives the line up; Ctrl-D leaves.
//
//	./program shell --readonly                  nothing is written: each query runs in a read-only transaction
//	./program shell -c 'User.all().count()'     runs an expression, or statements
//	./program shell < script.star               runs a script
//	./program shell --json -c 'User.all()'      prints values as JSON
//
// The shell is for who may do everything: there are no permissions. It is a command of the program, and nothing of it can
// be reached over the network.
package shell
