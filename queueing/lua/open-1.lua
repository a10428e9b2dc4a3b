-- The leader signs in: a closed seat is free. A seat that is open keeps its state and gets the new details;
-- a hold goes on.
-- KEYS: seat
-- ARGV: now, session_id, unit, leader, line_asterisk, line_twilio, channel, news for it
-- Returns the state.
local state = redis.call('HGET', KEYS[1], 'state')
if not state or state == 'closed' then
  state = 'free'
  redis.call('HSET', KEYS[1], 'state', state, 'since', ARGV[1], 'until', '', 'reason', '')
end
redis.call('HSET', KEYS[1], 'line_asterisk', ARGV[5], 'line_twilio', ARGV[6], 'session_id', ARGV[2], 'unit', ARGV[3], 'leader',
  ARGV[4])
redis.call('HDEL', KEYS[1], 'closing', 'gone')
redis.call('PUBLISH', ARGV[7], ARGV[8])
if state == 'free' and redis.call('HEXISTS', KEYS[1], 'held') == 1 then
  return 'paused'
end
return state
