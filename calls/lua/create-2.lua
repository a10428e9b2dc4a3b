-- The first record of a call; one that is there already stays as it is.
-- KEYS: call, live
-- ARGV: call_id, JSON, seq, started_at, channel
-- Returns the JSON that is saved now.
local saved = redis.call('HGET', KEYS[1], 'call')
if saved then
  return saved
end
redis.call('HSET', KEYS[1], 'call', ARGV[2], 'seq', ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
redis.call('PUBLISH', ARGV[5], cjson.encode({ kind = 'call', id = ARGV[1] }))
return ARGV[2]
