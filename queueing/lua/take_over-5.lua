-- A caller joins where an earlier call of the same number stands, or stood when it was cut off, so that what operators did with
-- it counts on; by the joining time when that is not known. While the earlier call is there, the two share one score.
-- KEYS: waiting, callers, seen, late, stood
-- ARGV: as of join; then the earlier call
-- Returns what join returns.
--- @include come_in
--- @include place
local known = known_of(KEYS[1], KEYS[3], ARGV[1], ARGV[2])
if known then
  return known
end
local there = redis.call('ZSCORE', KEYS[1], ARGV[10])
local score = there or redis.call('HGET', KEYS[5], ARGV[10])
redis.call('ZADD', KEYS[1], score or by_time(KEYS[1], ARGV[4], ARGV[5]), ARGV[1])
if score and not there and redis.call('ZCOUNT', KEYS[1], score, score) > 1 then -- somebody was put there meanwhile: behind
  place(KEYS[1], ARGV[1], redis.call('ZCOUNT', KEYS[1], '-inf', score) - 1)
end
redis.call('HDEL', KEYS[5], ARGV[10])
return tell_of(KEYS, ARGV, redis.call('ZRANK', KEYS[1], ARGV[1]) + 1)
