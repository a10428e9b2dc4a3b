-- The wake-up led to its turn; it is gone unless that turn asked for another one.
-- KEYS: wakeups
-- ARGV: call_id, lease until
-- Returns 1 when it was removed.
local at = redis.call('ZSCORE', KEYS[1], ARGV[1])
if at and tonumber(at) == tonumber(ARGV[2]) then
  return redis.call('ZREM', KEYS[1], ARGV[1])
end
return 0
