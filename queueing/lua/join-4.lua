-- A caller joins the line; one who is there already keeps the place.
-- KEYS: waiting, callers, seen, late
-- ARGV: call_id, at_seq, joined_at, first score, last score of this joining time, seconds to remember, channel, news for it,
-- now, if the caller comes long after saying yes: kept until it is told, so that whoever repeats this after a death knows; else ""
-- Returns the position from 1, with a minus when it was there already; 0 when something newer is known of this call and it is
-- not in the line.
--- @include come_in
local known = known_of(KEYS[1], KEYS[3], ARGV[1], ARGV[2])
if known then
  return known
end
local score, is_last = by_time(KEYS[1], ARGV[4], ARGV[5])
redis.call('ZADD', KEYS[1], score, ARGV[1])
return tell_of(KEYS, ARGV, is_last and redis.call('ZCARD', KEYS[1]) or redis.call('ZRANK', KEYS[1], ARGV[1]) + 1)
