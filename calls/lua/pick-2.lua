-- A lane of commands that nobody performs, or whose performer died: taken over for the time of a lease.
-- KEYS: outbox, performers
-- ARGV: now, performer, lease until
-- Returns `<lane>:<call_id>`, or false.
for _, taken in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[3], ARGV[3])) do
  if redis.call('HGET', KEYS[2], taken) == ARGV[2] then
    return taken -- the answer was lost: say it again
  end
end
local member = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, 1)[1]
if not member then
  return false
end
redis.call('ZADD', KEYS[1], ARGV[3], member)
redis.call('HSET', KEYS[2], member, ARGV[2])
return member
