-- A ringing claim whose lease lapsed is taken back: the caller is waiting at the head again, the seat is free.
-- KEYS: claim, seat
-- ARGV: now, channel, seat_id
-- Returns {call_id, token, joined_at, line_asterisk, line_twilio, until} of the lapsed claim, or false.
--- @include announce
--- @include settle
local claim = redis.call('HMGET', KEYS[1], 'state', 'until', 'call_id', 'token', 'joined_at')
if claim[1] ~= 'ringing' or tonumber(claim[2]) > tonumber(ARGV[1]) then
  return false
end
local lines = redis.call('HMGET', KEYS[2], 'line_asterisk', 'line_twilio')
redis.call('HSET', KEYS[1], 'state', 'reaped')
settle(KEYS[2], 'free', '', '', ARGV[1])
announce(ARGV[2], ARGV[3])
return { claim[3], claim[4], claim[5], lines[1] or '', lines[2] or '', claim[2] }
