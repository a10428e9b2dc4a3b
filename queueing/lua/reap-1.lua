-- A ringing claim whose lease lapsed is taken back: the caller is waiting at the head again, the seat is free.
-- KEYS: seat
-- ARGV: now, channel, news for it
-- Returns {call_id, token, line_asterisk, line_twilio, until} of the lapsed claim, or false.
--- @include settle
local claim = redis.call('HMGET', KEYS[1], 'state', 'until', 'call_id', 'token', 'line_asterisk', 'line_twilio')
if claim[1] ~= 'ringing' or tonumber(claim[2]) > tonumber(ARGV[1]) then
  return false
end
settle(KEYS[1], 'reaped', 'free', '', '', ARGV[1])
redis.call('PUBLISH', ARGV[2], ARGV[3])
return { claim[3], claim[4], claim[5] or '', claim[6] or '', claim[2] }
