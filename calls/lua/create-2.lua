-- The first record of a call; one that is there already stays as it is.
-- KEYS: call, live
-- ARGV: call_id, JSON, seq, started_at, channel
-- Returns what is saved now: JSON, seq, second and turns of the guard.
if redis.call('HSETNX', KEYS[1], 'call', ARGV[2]) == 1 then
  redis.call('HSET', KEYS[1], 'seq', ARGV[3])
  redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
  redis.call('PUBLISH', ARGV[5], cjson.encode({ kind = 'call', id = ARGV[1] }))
  return { ARGV[2], ARGV[3], false, false }
end
return redis.call('HMGET', KEYS[1], 'call', 'seq', 'second', 'turns')
