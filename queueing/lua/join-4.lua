-- A caller joins the line; one who is there already keeps the place.
-- KEYS: waiting, callers, seen, late
-- ARGV: call_id, at_seq, joined_at, first score, last score of this joining time, seconds to remember, channel, news for it,
-- now, if the caller comes long after saying yes: kept until it is told, so that whoever repeats this after a death knows; else ""
-- Returns the position from 1, with a minus when it was there already; 0 when something newer is known of this call and it is
-- not in the line.
--- @include already_there
--- @include by_time
redis.call('ZADD', KEYS[1], score, call)
local position = is_last and redis.call('ZCARD', KEYS[1]) or redis.call('ZRANK', KEYS[1], call) + 1
--- @include come_in
