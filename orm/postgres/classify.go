package postgres

import (
	"errors"
	"net"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/ishaa-framework/ishaa/orm"
)

// Classify implements orm.Engine.
func (engine) Classify(err error) orm.Fault {
	if errors.Is(err, pgx.ErrTxCommitRollback) {
		return orm.Fault{Text: "an earlier statement of the transaction had failed, so that it was rolled back: return that error, or run the statement in tx.Tx to be able to go on"}
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return connecting(err)
	}
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		var network net.Error
		if errors.As(err, &network) || strings.Contains(err.Error(), "conn closed") || strings.Contains(err.Error(), "closed pool") {
			return orm.Fault{Kind: orm.ErrConnection}
		}
		return orm.Fault{Text: local(err)}
	}
	f := orm.Fault{Table: e.TableName, Constraint: e.ConstraintName}
	switch e.Code {
	case "23505", "23P01": // also an exclusion constraint
		f.Kind, f.Columns = orm.ErrUnique, key(e.Detail)
	case "23503", "23001":
		f.Kind, f.Columns = orm.ErrForeignKey, key(e.Detail)
		if strings.Contains(e.Detail, "is still referenced") {
			f.Columns = nil // they are columns of the row that is referred to
		}
	case "23502":
		f.Kind, f.Columns = orm.ErrNotNull, []string{e.ColumnName}
	case "23514":
		f.Kind = orm.ErrCheck
	case "40001", "40P01":
		f.Kind = orm.ErrSerialization
	case "55P03":
		f.Kind, f.Text = orm.ErrTimeout, "a row or table is locked by another transaction"
	case "57014":
		f.Kind = orm.ErrCanceled
		if strings.Contains(e.Message, "timeout") {
			f.Kind = orm.ErrTimeout
		}
	case "0A000":
		f.Text = e.Message + " (SQLSTATE " + e.Code + ")"
		f.Again = strings.HasPrefix(e.Message, "cached plan")
	case "25006":
		f.Kind = orm.ErrReadOnly
	case "25P02":
		f.Text = "an earlier statement of the transaction failed: return its error, or run it in tx.Tx to be able to go on"
	default:
		switch e.Code[:2] {
		case "08", "57", "53": // connection, the operator stopped the server, out of resources
			f.Kind = orm.ErrConnection
		case "22": // a value does not fit, and the message repeats it
			f.Text = quoted.ReplaceAllString(e.Message, `"…"`) + " (SQLSTATE " + e.Code + ")"
		default:
			f.Text = e.Message + " (SQLSTATE " + e.Code + ")"
		}
	}
	return f
}

func connecting(err error) orm.Fault {
	f := orm.Fault{Kind: orm.ErrConnection}
	var e *pgconn.PgError
	if errors.As(err, &e) {
		switch e.Code {
		case "28000", "28P01":
			f.Text = "PostgreSQL does not accept the user or the password of the URL"
		case "3D000":
			f.Text = "the database of the URL does not exist: create it with createdb"
		case "53300":
			f.Text = "PostgreSQL has no connection left: lower Options.MaxConnections or raise its max_connections"
		}
	}
	return f
}

// local is what pgx itself complains of. Where it speaks of arguments, it repeats their values.
func local(err error) string {
	text := err.Error()
	if head, _, found := strings.Cut(text, ": unable to encode"); found {
		return head + ": the argument does not fit the type of its place"
	}
	if strings.HasPrefix(text, "expected ") || strings.HasPrefix(text, "mismatched param") {
		return text
	}
	return ""
}

var quoted = regexp.MustCompile(`"(?:[^"]|"")*"`)

// key reads the columns from "Key (email, name)=(a@b.c, Ann) already exists."
func key(detail string) []string {
	rest, found := strings.CutPrefix(detail, "Key (")
	if !found {
		return nil
	}
	list, _, found := strings.Cut(rest, ")=(")
	if !found || strings.ContainsAny(list, "(") { // an expression
		return nil
	}
	columns := strings.Split(list, ", ")
	for i, c := range columns {
		columns[i] = strings.Trim(c, `"`)
	}
	return columns
}
