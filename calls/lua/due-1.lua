-- The calls whose wake-up is due, each handed out once: it comes again only if nobody confirms it within the lease,
-- which is so, too, for those whose handing out was not heard of: they are late, and not lost.
-- KEYS: wakeups
-- ARGV: now, lease until, how many at most
-- Returns call ids.
local due = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
for _, call_id in ipairs(due) do
  redis.call('ZADD', KEYS[1], ARGV[2], call_id)
end
return due
