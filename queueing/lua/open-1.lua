-- The leader signs in: a closed seat is free. A seat that is open keeps its state and gets the new details;
-- a hold goes on.
-- KEYS: seat
-- ARGV: now, session_id, unit, leader, line_asterisk, line_twilio, channel, seat_id
-- Returns the state.
--- @include announce
local state = redis.call('HGET', KEYS[1], 'state')
redis.call('HSET', KEYS[1], 'session_id', ARGV[2], 'unit', ARGV[3], 'leader', ARGV[4], 'line_asterisk', ARGV[5],
  'line_twilio', ARGV[6])
redis.call('HDEL', KEYS[1], 'closing', 'gone')
if not state or state == 'closed' then
  state = 'free'
  redis.call('HSET', KEYS[1], 'state', state, 'since', ARGV[1], 'until', '', 'reason', '', 'call_id', '')
end
announce(ARGV[7], ARGV[8])
if state == 'free' and redis.call('HEXISTS', KEYS[1], 'held') == 1 then
  return 'paused'
end
return state
