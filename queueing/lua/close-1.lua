-- The leader signs out. A talk is never cut: a seat that rings or talks closes afterwards.
-- KEYS: seat
-- ARGV: now, channel, news for it
-- Returns the state: closed, or ringing or talking when it closes later.
local state = redis.call('HGET', KEYS[1], 'state') or 'closed'
if state == 'ringing' or state == 'talking' then
  redis.call('HSET', KEYS[1], 'closing', '1')
elseif state ~= 'closed' then
  redis.call('HSET', KEYS[1], 'state', 'closed', 'reason', '', 'until', '', 'since', ARGV[1])
  state = 'closed'
end
redis.call('PUBLISH', ARGV[2], ARGV[3])
return state
