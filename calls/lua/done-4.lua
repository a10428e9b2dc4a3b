-- The first commands of a lane are performed (0 = the performer is only alive). It goes on with the rest, if there is any.
-- KEYS: todo, outbox, performers, tries
-- ARGV: `<lane>:<call_id>`, performer, how many, lease until
-- Returns how many are left; -1 when somebody else took over, because we were too slow.
if redis.call('HGET', KEYS[3], ARGV[1]) ~= ARGV[2] then
  return -1
end
if ARGV[3] ~= '0' then
  redis.call('LTRIM', KEYS[1], ARGV[3], -1)
  redis.call('HDEL', KEYS[4], ARGV[1])
end
local left = redis.call('LLEN', KEYS[1])
if left == 0 then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('HDEL', KEYS[3], ARGV[1])
else
  redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
end
return left
