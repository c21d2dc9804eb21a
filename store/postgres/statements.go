package postgres

import (
	"strings"

	"github.com/jackc/pgx/v5"
)

// statements are the texts for one table.
type statements struct {
	there, get, getMany, set, delete, create1, replace, remove, absent, increment, admit, peek, scan string
	sweep, sweepMessages, publish, publishLarge, fetch                                               string
	create                                                                                           []string
}

func newStatements(table string) statements {
	parts := strings.Split(table, ".")
	last := len(parts) - 1
	quoted := func(suffix string) string {
		name := append(pgx.Identifier{}, parts...)
		name[last] += suffix
		return name.Sanitize()
	}
	fill := strings.NewReplacer(
		"@table", quoted(""), "@messages", quoted("_message"),
		"@index", pgx.Identifier{parts[last] + "_expires"}.Sanitize(),
		"@literal", "'"+strings.ReplaceAll(quoted(""), "'", "''")+"'",
		"@mliteral", "'"+strings.ReplaceAll(quoted("_message"), "'", "''")+"'",
		"@live", "(c.expires IS NULL OR c.expires > statement_timestamp())",
		"@dead", "(c.expires <= statement_timestamp())",
		"@ns", "((extract(epoch FROM statement_timestamp()) * 1000000)::bigint * 1000)",
		"@number", "encode(c.value, 'escape')::bigint",
	).Replace
	// A time to live of 0 milliseconds is none.
	expires := func(argument string) string {
		return "CASE WHEN " + argument + "::bigint = 0 THEN NULL ELSE statement_timestamp() + " + argument + "::bigint * interval '1 millisecond' END"
	}
	return statements{
		there: fill(`SELECT to_regclass(@literal) IS NOT NULL AND to_regclass(@mliteral) IS NOT NULL, coalesce(current_schema()::text, '')`),
		create: []string{
			`SELECT pg_advisory_xact_lock(7234501828)`,
			fill(`CREATE TABLE IF NOT EXISTS @table (key bytea PRIMARY KEY, value bytea NOT NULL, expires timestamptz)`),
			fill(`CREATE INDEX IF NOT EXISTS @index ON @table (expires) WHERE expires IS NOT NULL`),
			fill(`CREATE TABLE IF NOT EXISTS @messages (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea NOT NULL, sent timestamptz NOT NULL DEFAULT now())`),
		},
		get:     fill(`SELECT c.value FROM @table c WHERE c.key = $1 AND @live`),
		getMany: fill(`SELECT c.key, c.value FROM @table c WHERE c.key = ANY($1) AND @live`),
		set:     fill(`INSERT INTO @table (key, value, expires) VALUES ($1, $2, ` + expires("$3") + `) ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value, expires = EXCLUDED.expires`),
		delete:  fill(`DELETE FROM @table WHERE key = $1`),
		create1: fill(`INSERT INTO @table AS c (key, value, expires) VALUES ($1, $2, ` + expires("$3") + `) ON CONFLICT (key) DO UPDATE SET value = EXCLUDED.value, expires = EXCLUDED.expires WHERE @dead`),
		replace: fill(`UPDATE @table c SET value = $2, expires = ` + expires("$3") + ` WHERE c.key = $1 AND c.value = $4 AND @live`),
		remove:  fill(`DELETE FROM @table c WHERE c.key = $1 AND c.value = $2 AND @live`),
		absent:  fill(`SELECT NOT EXISTS (SELECT FROM @table c WHERE c.key = $1 AND @live)`),
		increment: fill(`INSERT INTO @table AS c (key, value, expires) VALUES ($1, convert_to($2::bigint::text, 'UTF8'), ` + expires("$3") + `)
			ON CONFLICT (key) DO UPDATE SET
				value = CASE WHEN @dead THEN EXCLUDED.value ELSE convert_to((@number + $2::bigint)::text, 'UTF8') END,
				expires = CASE WHEN @dead THEN EXCLUDED.expires ELSE c.expires END
			WHERE @dead OR encode(c.value, 'escape') ~ '^(0|-?[1-9][0-9]{0,18})$'
			RETURNING encode(c.value, 'escape')::bigint`),
		// $2 is the interval, $3 the room (interval times burst), in nanoseconds.
		admit: fill(`INSERT INTO @table AS c (key, value, expires)
			VALUES ($1, convert_to((@ns + $2::bigint)::text, 'UTF8'), statement_timestamp() + ($2::bigint / 1000) * interval '1 microsecond' + interval '1 second')
			ON CONFLICT (key) DO UPDATE SET
				value = CASE WHEN @dead THEN EXCLUDED.value ELSE convert_to((greatest(@number, @ns) + $2::bigint)::text, 'UTF8') END,
				expires = CASE WHEN @dead THEN EXCLUDED.expires
					ELSE statement_timestamp() + ((greatest(@number - @ns, 0) + $2::bigint) / 1000) * interval '1 microsecond' + interval '1 second' END
			WHERE @dead OR CASE WHEN encode(c.value, 'escape') ~ '^[0-9]{1,19}$' THEN @number - @ns <= $3::bigint - $2::bigint ELSE false END
			RETURNING encode(c.value, 'escape')::bigint - @ns`),
		peek:          fill(`SELECT c.value, @ns FROM @table c WHERE c.key = $1 AND @live`),
		scan:          fill(`SELECT c.key FROM @table c WHERE c.key >= $1 AND c.key <> $2 AND ($3::bytea IS NULL OR c.key < $3) AND @live ORDER BY c.key LIMIT $4`),
		sweep:         fill(`DELETE FROM @table WHERE key IN (SELECT c.key FROM @table c WHERE @dead LIMIT $1 FOR UPDATE SKIP LOCKED)`),
		sweepMessages: fill(`DELETE FROM @messages WHERE sent < now() - interval '5 minutes'`),
		publish:       `SELECT pg_notify($1, $2)`,
		publishLarge:  fill(`WITH m AS (INSERT INTO @messages (body) VALUES ($2) RETURNING id) SELECT pg_notify($1, '` + markLarge + `' || id) FROM m`),
		fetch:         fill(`SELECT body FROM @messages WHERE id = $1`),
	}
}
