-- Shows how a caller waits: `callback` = nobody is on the phone. Nothing changes in the order.
-- KEYS: marks, pace
-- ARGV: call_id, mark (empty = on the phone), seconds to keep, channel, news for it
-- Returns 1 when that is news.
local before = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if before == ARGV[2] then
  return 0
end
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  if before == '' then
    redis.call('HINCRBY', KEYS[2], 'kept', 1)
  end
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[3])
end
redis.call('PUBLISH', ARGV[4], ARGV[5])
return 1
