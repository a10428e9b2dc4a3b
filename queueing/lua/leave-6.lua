-- A caller leaves the line for good. A join that comes later but is older finds the tombstone in `seen`. Who gave up may come
-- back by another call, to where this one stood (take_over).
-- KEYS: waiting, callers, seen, left, marks, stood
-- ARGV: call_id, at_seq, reason, seconds to remember, channel, news for it
-- Returns 1 when the caller was in the line, else 0.
--- @include remember
local newest = tonumber(redis.call('HGET', KEYS[3], ARGV[1]) or '-1')
if tonumber(ARGV[2]) < newest then
  return 0
end
remember(KEYS[3], ARGV[1], ARGV[2], ARGV[4])
local score = ARGV[3] == 'abandoned' and redis.call('ZSCORE', KEYS[1], ARGV[1])
if redis.call('ZREM', KEYS[1], ARGV[1]) == 0 then
  return 0
end
if score then
  redis.call('HSET', KEYS[6], ARGV[1], score)
  redis.call('EXPIRE', KEYS[6], ARGV[4])
end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('HDEL', KEYS[5], ARGV[1])
redis.call('HINCRBY', KEYS[4], ARGV[3], 1)
redis.call('PUBLISH', ARGV[5], ARGV[6])
return 1
