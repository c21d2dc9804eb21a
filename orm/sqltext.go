package orm

import "strings"

// What a piece of SQL does, as far as its text tells. The rule is to be careful: a read is what is known to be one, and
// everything else counts as a write. Three lists decide: words that begin reads, functions that only compute, and
// functions that reach beyond the tables, which no read-only transaction would stop.

type sqlKind int

const (
	sqlNothing   sqlKind = iota // only blanks and comments
	sqlRead                     // changes nothing
	sqlUnknown                  // reads and calls functions that are not known to change nothing
	sqlWrite                    // anything else
	sqlBegin                    // begins a transaction
	sqlEnd                      // ends one
	sqlSavepoint                // within one
	sqlSession                  // changes a setting of the connection
)

// sqlKinds returns the kinds of the statements of a text.
func sqlKinds(dialect, text string) []sqlKind {
	var kinds []sqlKind
	scan := sqlScanner{text: text, dialect: dialect}
	for {
		tokens, more := scan.statement()
		if kind := kindOf(tokens); kind != sqlNothing {
			if scan.odd {
				kind = sqlWrite
			}
			kinds = append(kinds, kind)
		}
		if !more {
			return kinds
		}
	}
}

// A sqlToken is a word in lower case, a punctuation mark, "'" for a constant or "\"" for a quoted name.
type sqlToken string

func kindOf(tokens []sqlToken) sqlKind {
	for len(tokens) > 0 && tokens[0] == "(" {
		tokens = tokens[1:]
	}
	if len(tokens) == 0 {
		return sqlNothing
	}
	has := func(i int, word sqlToken) bool { return i < len(tokens) && tokens[i] == word }
	switch tokens[0] {
	case "select", "with", "values", "table":
		return readKind(tokens)
	case "explain":
		for _, t := range tokens {
			if t == "analyze" || t == "analyse" { // runs the statement
				return sqlWrite
			}
		}
		return sqlRead
	case "show", "describe", "desc":
		return sqlRead
	case "pragma":
		return pragmaKind(tokens[1:])
	case "set", "reset", "use", "attach", "detach", "listen", "unlisten":
		return sqlSession
	case "begin":
		return sqlBegin
	case "start":
		if has(1, "transaction") {
			return sqlBegin
		}
	case "commit", "end", "abort":
		return sqlEnd
	case "rollback":
		for _, t := range tokens {
			if t == "to" {
				return sqlSavepoint
			}
		}
		return sqlEnd
	case "savepoint", "release":
		return sqlSavepoint
	}
	return sqlWrite
}

func readKind(tokens []sqlToken) sqlKind {
	kind := sqlRead
	for i, t := range tokens {
		next := sqlToken("")
		if i+1 < len(tokens) {
			next = tokens[i+1]
		}
		switch t {
		case "insert", "delete", "merge", "into", "update", "lock", ":=": // also in WITH, and FOR UPDATE
			if next != "(" || t == "into" {
				return sqlWrite
			}
		case "for":
			if next == "share" || next == "no" || next == "key" {
				return sqlWrite
			}
		}
		if next != "(" {
			continue
		}
		switch {
		case isWord(t) && reaching(string(t)):
			return sqlWrite
		case isWord(t) && calm[string(t)] && (i == 0 || tokens[i-1] != "."):
		case isWord(t), t == "\"":
			kind = sqlUnknown
		}
	}
	return kind
}

func isWord(t sqlToken) bool { return t[0] == '_' || t[0] >= 'a' && t[0] <= 'z' || t[0] >= 0x80 }

// pragmaKind knows the pragmas that only tell.
func pragmaKind(tokens []sqlToken) sqlKind {
	if len(tokens) >= 2 && tokens[1] == "." {
		tokens = tokens[2:]
	}
	if len(tokens) == 0 {
		return sqlWrite
	}
	if len(tokens) == 1 && tellingPragmas[string(tokens[0])] || len(tokens) > 1 && tokens[1] == "(" && describingPragmas[string(tokens[0])] {
		return sqlRead
	}
	return sqlSession
}

var (
	describingPragmas = words("table_info table_xinfo table_list index_info index_xinfo index_list foreign_key_list foreign_key_check integrity_check quick_check")
	tellingPragmas    = words("table_list foreign_key_check integrity_check quick_check database_list collation_list function_list module_list pragma_list compile_options " +
		"user_version application_id schema_version data_version encoding page_count page_size freelist_count journal_mode synchronous foreign_keys busy_timeout cache_size query_only auto_vacuum wal_autocheckpoint")
)

// reaching tells functions whose effect a read-only transaction does not prevent.
func reaching(name string) bool {
	switch name {
	case "nextval", "setval", "set_config", "pg_notify", "pg_terminate_backend", "pg_cancel_backend", "pg_reload_conf", "pg_rotate_logfile",
		"pg_logical_emit_message", "pg_switch_wal", "pg_create_restore_point", "load_extension", "writefile", "edit", "fts3_tokenizer",
		"get_lock", "release_lock", "release_all_locks", "master_pos_wait", "sys_exec", "sys_eval", "lastval":
		return true
	}
	return strings.HasPrefix(name, "pg_advisory_") || strings.HasPrefix(name, "pg_try_advisory_") || strings.HasPrefix(name, "lo_") || strings.HasPrefix(name, "dblink")
}

// calm are the words that may stand before a parenthesis in a read: keywords, types and functions that only compute.
var calm = words(`
	select with recursive as materialized values table from where and or not in exists any all some on using join lateral union intersect except
	having by over partition filter within distinct when then else case between like ilike similar regexp rlike glob match is limit offset set within group
	order returning window rows range interval array row cross natural inner left right full outer only escape collate index force use ignore to
	char character varchar varying text nchar nvarchar decimal numeric float real double int integer bigint smallint tinyint binary varbinary bit
	timestamp timestamptz datetime date time timetz signed unsigned
	count sum avg min max total group_concat string_agg array_agg json_agg jsonb_agg json_object_agg jsonb_object_agg json_group_array json_group_object
	json_arrayagg json_objectagg bool_and bool_or every bit_and bit_or bit_xor stddev stddev_pop stddev_samp variance var_pop var_samp std
	percentile_cont percentile_disc mode corr covar_pop covar_samp row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
	abs ceil ceiling floor round trunc truncate sign mod div power pow sqrt cbrt exp ln log log2 log10 pi sin cos tan asin acos atan atan2 cot degrees radians
	greatest least coalesce nullif ifnull nvl iif if cast convert typeof unicode likelihood likely unlikely
	lower upper lcase ucase initcap length char_length character_length octet_length bit_length trim ltrim rtrim btrim lpad rpad substr substring mid left right
	position strpos instr locate replace regexp_replace regexp_substr regexp_instr regexp_like regexp_match regexp_matches regexp_count regexp translate overlay reverse repeat
	concat concat_ws split_part substring_index field elt find_in_set format printf to_char to_number to_date to_timestamp quote quote_ident quote_literal quote_nullable
	ascii chr ord hex unhex md5 sha1 sha2 sha256 crc32 encode decode to_base64 from_base64 soundex strcmp insert_str starts_with
	now current_timestamp current_date current_time localtime localtimestamp clock_timestamp statement_timestamp transaction_timestamp curdate curtime utc_timestamp utc_date utc_time sysdate
	date_trunc date_part extract age make_date make_time make_timestamp make_interval justify_days justify_hours strftime julianday unixepoch timediff
	date_add date_sub adddate subdate datediff timestampdiff timestampadd date_format time_format str_to_date from_unixtime unix_timestamp from_days to_days last_day
	year quarter month week weekday dayofweek dayofmonth dayofyear day hour minute second microsecond monthname dayname convert_tz yearweek makedate maketime
	json json_extract json_value json_query json_array json_object json_array_length json_length json_type json_valid json_quote json_unquote json_contains json_contains_path
	json_keys json_search json_each json_tree json_set json_insert json_replace json_remove json_patch json_merge_patch json_table json_typeof json_build_object json_build_array json_depth
	jsonb jsonb_extract_path jsonb_extract_path_text json_extract_path json_extract_path_text jsonb_array_length jsonb_typeof jsonb_set jsonb_each jsonb_each_text jsonb_object_keys
	jsonb_array_elements jsonb_array_elements_text json_array_elements json_array_elements_text jsonb_build_object jsonb_build_array to_json to_jsonb row_to_json jsonb_path_query jsonb_path_exists jsonb_pretty
	unnest generate_series array_length array_position array_to_string string_to_array cardinality array_append array_cat array_remove string_to_table
	random rand gen_random_uuid uuid randomblob zeroblob last_insert_rowid changes total_changes row_count found_rows connection_id version database schema user current_user
	session_user current_database current_schema current_setting pg_typeof pg_table_size pg_total_relation_size pg_relation_size pg_database_size pg_size_pretty pg_get_expr pg_get_constraintdef
	pg_get_indexdef pg_get_viewdef pg_get_serial_sequence obj_description col_description format_type has_table_privilege to_regclass pg_backend_pid txid_current_if_assigned
	to_tsvector to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery ts_rank ts_rank_cd ts_headline bm25 highlight snippet against sqlite_version pg_sleep sleep benchmark
	pragma_table_info pragma_table_xinfo pragma_index_list pragma_index_info pragma_foreign_key_list pragma_table_list inet_aton inet_ntoa isnull
`)

func words(list string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(list) {
		set[word] = true
	}
	return set
}
