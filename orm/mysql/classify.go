package mysql

import (
	"errors"
	"net"
	"regexp"
	"strconv"
	"strings"

	driverpkg "github.com/go-sql-driver/mysql"

	"github.com/ishaa-framework/ishaa/orm"
)

// Classify implements orm.Engine. The numbers are those of MySQL's and MariaDB's error references.
func (engine) Classify(err error) orm.Fault {
	var e *driverpkg.MySQLError
	if !errors.As(err, &e) {
		var network net.Error
		if errors.Is(err, driverpkg.ErrInvalidConn) || errors.As(err, &network) {
			return orm.Fault{Kind: orm.ErrConnection}
		}
		if errors.Is(err, driverpkg.ErrPktTooLarge) {
			return orm.Fault{Text: "the statement is larger than the server's max_allowed_packet: send less at once"}
		}
		return orm.Fault{}
	}
	switch e.Number {
	case 1062, 1169, 1586, 1859:
		table, name := duplicate(e.Message)
		return orm.Fault{Kind: orm.ErrUnique, Table: table, Constraint: name}
	case 1216, 1217, 1451, 1452, 1834:
		return foreignKey(e.Message)
	case 1048, 1364, 1263:
		return orm.Fault{Kind: orm.ErrNotNull, Columns: first(quotedName, e.Message)}
	case 3819: // MySQL: Check constraint 'name' is violated.
		return orm.Fault{Kind: orm.ErrCheck, Constraint: strings.Join(first(quotedName, e.Message), "")}
	case 4025: // MariaDB: CONSTRAINT `name` failed for `database`.`table`
		names := backquoted.FindAllStringSubmatch(e.Message, -1)
		f := orm.Fault{Kind: orm.ErrCheck}
		if len(names) > 0 {
			_, f.Constraint, _ = cutLast(names[0][1], ".")
			f.Table = names[len(names)-1][1]
		}
		return f
	case 1213, 1020, 1614:
		return orm.Fault{Kind: orm.ErrSerialization, Ends: true}
	case 1205, 3572:
		return orm.Fault{Kind: orm.ErrTimeout, Text: "a row or table is locked by another transaction"}
	case 3024, 1969:
		return orm.Fault{Kind: orm.ErrTimeout}
	case 1317:
		return orm.Fault{Kind: orm.ErrCanceled}
	case 1792, 1290, 1836:
		return orm.Fault{Kind: orm.ErrReadOnly}
	case 1044, 1045, 1698:
		return orm.Fault{Kind: orm.ErrConnection, Text: "the server does not accept the user or the password of the URL"}
	case 1049:
		return orm.Fault{Kind: orm.ErrConnection, Text: "the database of the URL does not exist: create it with CREATE DATABASE"}
	case 1040, 1203, 1226:
		return orm.Fault{Kind: orm.ErrConnection, Text: "the server has no connection left: lower Options.MaxConnections or raise its max_connections"}
	case 1053, 1077, 1079, 1152, 1159, 1161, 1184, 1927, 2006, 2013:
		return orm.Fault{Kind: orm.ErrConnection}
	case 1264, 1265, 1292, 1366, 1367, 1406, 1411, 1690, 3140, 3141, 4078: // a value does not fit, and most messages repeat it
		return orm.Fault{Text: redact(e.Message) + number(e)}
	}
	return orm.Fault{Text: e.Message + number(e)}
}

func number(e *driverpkg.MySQLError) string { return " (error " + strconv.Itoa(int(e.Number)) + ")" }

var (
	quotedName = regexp.MustCompile(`'([^']*)'`)
	backquoted = regexp.MustCompile("`((?:[^`]|``)*)`")
	foreign    = regexp.MustCompile(`FOREIGN KEY \(([^)]*)\)`)
	constraint = regexp.MustCompile("CONSTRAINT `((?:[^`]|``)*)`")
	ofColumn   = regexp.MustCompile("(?:for column|for function|in statement|column) ['`].*$")
)

// redact keeps the name of the column at the end and drops other quoted text.
func redact(message string) string {
	tail := ofColumn.FindString(message)
	head := strings.TrimSuffix(message, tail)
	if i := strings.IndexByte(head, '\''); i >= 0 {
		j := strings.LastIndexByte(head, '\'')
		head = head[:i] + "'…'" + head[max(j, i)+1:]
	}
	return head + tail
}

// duplicate reads the key's name, whatever the value before it holds:
// Duplicate entry 'it's' for key 'users.email' (MariaDB leaves the table out).
func duplicate(message string) (table, key string) {
	_, name, found := cutLast(message, " for key '")
	if !found {
		return "", ""
	}
	name = strings.TrimSuffix(name, "'")
	if table, key, found := cutLast(name, "."); found {
		return table, key
	}
	return "", name
}

// foreignKey reads: … (`database`.`posts`, CONSTRAINT `name` FOREIGN KEY (`author_id`) REFERENCES …)
func foreignKey(message string) orm.Fault {
	f := orm.Fault{Kind: orm.ErrForeignKey}
	if m := constraint.FindStringSubmatch(message); m != nil {
		f.Constraint = m[1]
	}
	if strings.Contains(message, "a child row") {
		if m := foreign.FindStringSubmatch(message); m != nil {
			for _, c := range backquoted.FindAllStringSubmatch(m[1], -1) {
				f.Columns = append(f.Columns, c[1])
			}
		}
	}
	if names := backquoted.FindAllStringSubmatch(message, 2); len(names) == 2 {
		f.Table = names[1][1]
	}
	return f
}

func first(re *regexp.Regexp, s string) []string {
	if m := re.FindStringSubmatch(s); m != nil {
		return []string{m[1]}
	}
	return nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return "", s, false
}
