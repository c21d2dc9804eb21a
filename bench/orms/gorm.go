package orms

import (
	"context"
	"database/sql"
	"slices"
	"strings"

	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/callbacks"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
	"gorm.io/gorm/migrator"
	"gorm.io/gorm/schema"
)

// gormStore follows GORM's page on performance: statements are prepared and kept, and a write is no transaction of its
// own.
type gormStore struct {
	db   *gorm.DB
	last []Person
}

func openGORM(_ context.Context, e Engine, _ string, pool *sql.DB) (Store, error) {
	var dialect gorm.Dialector = sqliteDialect{pool}
	if e == Postgres {
		dialect = postgres.New(postgres.Config{Conn: pool})
	}
	db, err := gorm.Open(dialect, &gorm.Config{PrepareStmt: true, SkipDefaultTransaction: true, Logger: logger.Discard})
	return &gormStore{db: db}, err
}

func (s *gormStore) Get(ctx context.Context, id int64) error {
	var p Person
	err := s.db.WithContext(ctx).Take(&p, id).Error
	s.last = append(s.last[:0], p)
	return err
}

func (s *gormStore) Select(ctx context.Context, upTo int64) error {
	var list []Person
	err := s.db.WithContext(ctx).Where("id <= ?", upTo).Order("id").Find(&list).Error
	s.last = list
	return err
}

func (s *gormStore) Filter(ctx context.Context, age int64, part string) error {
	var list []Person
	err := s.db.WithContext(ctx).Where("age > ? AND name LIKE ?", age, "%"+escapeLike(part)+"%").Order("age DESC, name").Limit(10).Find(&list).Error
	s.last = list
	return err
}

func (s *gormStore) Insert(ctx context.Context, p Person) error {
	err := s.db.WithContext(ctx).Create(&p).Error
	s.last = append(s.last[:0], p)
	return err
}

func (s *gormStore) Bulk(ctx context.Context, list []Person) error {
	return s.db.WithContext(ctx).Create(&list).Error
}

func (s *gormStore) Result() []Person { return slices.Clone(s.last) }

// Close leaves the pool to its owner.
func (s *gormStore) Close() error { return nil }

// sqliteDialect is GORM's for SQLite on a pool that is open. The one that GORM offers brings a driver in C, and this
// comparison is one of the same driver; the clauses and callbacks are the same.
type sqliteDialect struct{ pool *sql.DB }

func (sqliteDialect) Name() string { return "sqlite" }

func (d sqliteDialect) Initialize(db *gorm.DB) error {
	db.ConnPool = d.pool
	callbacks.RegisterDefaultCallbacks(db, &callbacks.Config{
		CreateClauses:        []string{"INSERT", "VALUES", "ON CONFLICT", "RETURNING"},
		UpdateClauses:        []string{"UPDATE", "SET", "FROM", "WHERE", "RETURNING"},
		DeleteClauses:        []string{"DELETE", "FROM", "WHERE", "RETURNING"},
		LastInsertIDReversed: true,
	})
	return nil
}

func (d sqliteDialect) Migrator(db *gorm.DB) gorm.Migrator {
	return migrator.Migrator{Config: migrator.Config{DB: db, Dialector: d}}
}

func (sqliteDialect) DataTypeOf(*schema.Field) string { return "" } // nothing is migrated

func (sqliteDialect) DefaultValueOf(*schema.Field) clause.Expression {
	return clause.Expr{SQL: "NULL"}
}

func (sqliteDialect) BindVarTo(w clause.Writer, _ *gorm.Statement, _ any) { w.WriteByte('?') }

func (sqliteDialect) QuoteTo(w clause.Writer, name string) {
	w.WriteByte('`')
	w.WriteString(strings.ReplaceAll(strings.ReplaceAll(name, "`", "``"), ".", "`.`"))
	w.WriteByte('`')
}

func (sqliteDialect) Explain(text string, args ...any) string {
	return logger.ExplainSQL(text, nil, `"`, args...)
}
