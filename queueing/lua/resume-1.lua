-- Ready for the next caller at once: ends a pause, a pause that was asked for, and wrap-up.
-- KEYS: seat
-- ARGV: now, channel, news for it
-- Returns 1; 0 when the seat is closed.
local state = redis.call('HGET', KEYS[1], 'state')
if not state or state == 'closed' then
  return 0
end
redis.call('HDEL', KEYS[1], 'pause_after', 'gone')
if state == 'paused' or state == 'wrap_up' then
  redis.call('HSET', KEYS[1], 'state', 'free', 'reason', '', 'until', '', 'since', ARGV[1])
end
redis.call('PUBLISH', ARGV[2], ARGV[3])
return 1
