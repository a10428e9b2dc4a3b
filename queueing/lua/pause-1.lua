-- The seat gets no more callers until it is resumed; one that rings or talks pauses afterwards.
-- KEYS: seat
-- ARGV: now, reason, channel, news for it
-- Returns 1; 0 when the seat is closed.
local state = redis.call('HGET', KEYS[1], 'state')
if not state or state == 'closed' then
  return 0
end
if state == 'ringing' or state == 'talking' then
  redis.call('HSET', KEYS[1], 'pause_after', ARGV[2])
else
  redis.call('HSET', KEYS[1], 'state', 'paused', 'reason', ARGV[2], 'until', '', 'since', ARGV[1])
end
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1
