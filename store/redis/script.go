package redis

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/ishaa-framework/ishaa/store"
)

// What has to happen in one step is a script on the server. Lua's numbers are
// floating point: a counter's sum is read back as text, and an arrival time is
// kept in seconds and nanoseconds apart.

const notCounterReply = "NOTCOUNTER the key holds something else"

// swapScript: has old, old, has value, value, milliseconds.
var swapScript = rueidis.NewLuaScript(`
local current = redis.call('GET', KEYS[1])
if ARGV[1] == '1' then
	if current ~= ARGV[2] then return 0 end
elseif current then
	return 0
end
if ARGV[3] ~= '1' then
	if current then redis.call('DEL', KEYS[1]) end
elseif ARGV[5] == '0' then
	redis.call('SET', KEYS[1], ARGV[4])
else
	redis.call('SET', KEYS[1], ARGV[4], 'PX', ARGV[5])
end
return 1`)

// incrementScript: delta, milliseconds.
var incrementScript = rueidis.NewLuaScript(`
local new = redis.call('EXISTS', KEYS[1]) == 0
redis.call('INCRBY', KEYS[1], ARGV[1])
if new then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return redis.call('GET', KEYS[1])`)

// admitScript: interval and room (interval times burst) in nanoseconds. The time
// is the server's.
var admitScript = rueidis.NewLuaScript(`
local now = redis.call('TIME')
local sec, ns = tonumber(now[1]), tonumber(now[2]) * 1000
local interval, room = tonumber(ARGV[1]), tonumber(ARGV[2])
local ahead = 0
local arrival = redis.call('GET', KEYS[1])
if arrival then
	if #arrival > 19 or not string.match(arrival, '^%d+$') then
		return redis.error_reply('` + notCounterReply + `')
	end
	arrival = string.rep('0', 10 - #arrival) .. arrival
	ahead = (tonumber(string.sub(arrival, 1, -10)) - sec) * 1e9 + (tonumber(string.sub(arrival, -9)) - ns)
	if ahead < 0 then ahead = 0 end
end
if ahead > room - interval then return {0, string.format('%.0f', ahead)} end
ahead = ahead + interval
sec, ns = sec + math.floor(ahead / 1e9), ns + ahead % 1e9
if ns >= 1e9 then sec, ns = sec + 1, ns - 1e9 end
redis.call('SET', KEYS[1], string.format('%d%09d', sec, ns), 'PX', string.format('%.0f', math.ceil(ahead / 1e6) + 1000))
return {1, string.format('%.0f', ahead)}`)

// flag writes whether there is a value.
func flag(value []byte) string {
	if value == nil {
		return "0"
	}
	return "1"
}

// CompareAndSwap implements store.KV.
func (e *engine) CompareAndSwap(ctx context.Context, key string, old, value []byte, ttl time.Duration) (bool, error) {
	o, ttl, err := e.beginWrite(ctx, "compare and swap", key, value, ttl)
	if err != nil {
		return false, err
	}
	defer o.End()
	swapped, err := swapScript.Exec(o.Context, e.client, []string{e.prefix + key}, []string{
		flag(old), string(old), flag(value), string(value), strconv.FormatInt(ttl.Milliseconds(), 10),
	}).AsInt64()
	return swapped == 1, failed(o, err)
}

// Increment implements store.KV.
func (e *engine) Increment(ctx context.Context, key string, delta int64, ttl time.Duration) (int64, error) {
	o, ttl, err := e.beginWrite(ctx, "increment", key, nil, ttl)
	if err != nil {
		return 0, err
	}
	defer o.End()
	amount := strconv.FormatInt(delta, 10)
	var result rueidis.RedisResult
	if ttl == 0 {
		result = e.client.Do(o.Context, e.client.B().Incrby().Key(e.prefix+key).Increment(delta).Build())
	} else {
		result = incrementScript.Exec(o.Context, e.client, []string{e.prefix + key}, []string{amount, strconv.FormatInt(ttl.Milliseconds(), 10)})
	}
	sum, err := result.AsInt64()
	if notCounter(err) {
		return 0, store.ErrNotCounter
	}
	return sum, failed(o, err)
}

// Admit implements store.Limiter. When a connection breaks it asks again, so that
// what the server did before that may count twice: a key is held to its rate, and
// no outage lets more pass.
func (e *engine) Admit(ctx context.Context, key string, interval time.Duration, burst int64) (bool, time.Duration, error) {
	if err := store.CheckRate(interval, burst); err != nil {
		return false, 0, err
	}
	o, err := e.BeginKey(ctx, "admit", true, key)
	if err != nil {
		return false, 0, err
	}
	defer o.End()
	answer, err := again(o, func() rueidis.RedisResult {
		return admitScript.Exec(o.Context, e.client, []string{e.prefix + key}, []string{
			strconv.FormatInt(int64(interval), 10), strconv.FormatInt(int64(interval)*burst, 10),
		})
	}).ToArray()
	switch {
	case notCounter(err):
		return false, 0, fmt.Errorf("%w: the key of a rate limit holds something else", store.ErrNotCounter)
	case err != nil:
		return false, 0, failed(o, err)
	case len(answer) != 2:
		return false, 0, unexpected(o, answer)
	}
	admitted, err := answer[0].AsInt64()
	if err != nil {
		return false, 0, unexpected(o, err)
	}
	ahead, err := answer[1].AsInt64()
	if err != nil {
		return false, 0, unexpected(o, err)
	}
	return admitted == 1, time.Duration(ahead), nil
}

// pattern writes a prefix so that SCAN matches nothing else.
func pattern(prefix string) string {
	var b strings.Builder
	for i := range len(prefix) {
		switch c := prefix[i]; c {
		case '*', '?', '[', ']', '^', '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String() + "*"
}
