-- A ringing claim whose lease lapsed is taken back: the caller is waiting at the head again, the seat is free.
-- KEYS: seat
-- ARGV: now, name of this question, channel, news for it
-- Returns {call_id, token, line_asterisk, line_twilio, until} of the lapsed claim, or false. What was reaped stays known with
-- the question, so that whoever asks it once more, because the answer was lost, hears it again.
--- @include settle
local claim = redis.call('HMGET', KEYS[1], 'state', 'until', 'call_id', 'token', 'line_asterisk', 'line_twilio', 'reaped')
if claim[1] ~= 'ringing' or tonumber(claim[2]) > tonumber(ARGV[1]) then
  local question, call, token, until_at = string.match(claim[7] or '', '^(%S+) (%S+) (%S+) (%S+)$')
  return question == ARGV[2] and { call, token, claim[5] or '', claim[6] or '', until_at }
end
settle(KEYS[1], 'reaped', 'free', '', '', ARGV[1])
redis.call('HSET', KEYS[1], 'reaped', table.concat({ ARGV[2], claim[3], claim[4], claim[2] }, ' '))
redis.call('PUBLISH', ARGV[3], ARGV[4])
return { claim[3], claim[4], claim[5] or '', claim[6] or '', claim[2] }
