// Package migrate changes the tables of a database when models change, without losing what is in them.
//
//	db, err := orm.Open("sqlite://app.db")
//	orm.Register[User](db)
//	app.Install(migrate.Plugin(db)) // ./program migrate create add_users; ./program migrate run
//
// Create compares the models with the state that the last migration left, which schema.json beside the migrations
// holds, and writes a file of SQL for the engine of the database, with the way back:
//
//	-- migrate: up
//	ALTER TABLE "users" ADD COLUMN "age" bigint NOT NULL DEFAULT 0;
//
//	-- migrate: down
//	ALTER TABLE "users" DROP COLUMN "age";
//
// The file is yours: read it, change it, commit it. What throws data away is written only when it is allowed, and a
// column that got another name is told by a rename, or asked about on a terminal; otherwise it is one that goes and one
// that comes. A column that may not be empty and has no default gets a zero for the rows that are there.
//
// Run applies what is pending, in order. On SQLite and PostgreSQL a migration and its record are one transaction, so a
// failed one leaves nothing behind; MySQL and MariaDB commit each statement of DDL, so the record says how many are
// done and the next run goes on there. Several nodes may run at once. Files that were changed after they were applied
// are refused. On SQLite, where most changes build a table anew, foreign keys rest while a migration runs and are
// checked before it commits.
//
// Check says whether models, migrations and database agree, for continuous integration.
package migrate
