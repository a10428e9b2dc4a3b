-- A caller joins where an earlier call of the same number stands, or stood when it was cut off, so that what operators did with
-- it counts on; by the joining time when that is not known. While the earlier call is there, the two share one score.
-- KEYS: waiting, callers, seen, late, stood
-- ARGV: as of join; then the earlier call
-- Returns what join returns.
--- @include place
--- @include already_there
--- @include by_time
local there = redis.call('ZSCORE', KEYS[1], ARGV[10])
local stood = there or redis.call('HGET', KEYS[5], ARGV[10])
redis.call('ZADD', KEYS[1], stood or score, call)
if stood and not there and redis.call('ZCOUNT', KEYS[1], stood, stood) > 1 then -- somebody was put there meanwhile: behind
  place(KEYS[1], call, redis.call('ZCOUNT', KEYS[1], '-inf', stood) - 1)
end
redis.call('HDEL', KEYS[5], ARGV[10])
local position = redis.call('ZRANK', KEYS[1], call) + 1
--- @include come_in
