-- A seat that is free (or whose wrap-up is over) and not held takes the head of its line. The caller stays in the line, offered.
-- KEYS: waiting, callers, claim, seat, token
-- ARGV: now, owner, nonce of this attempt, until, first token, channel, seat_id
-- Returns {call_id, token, joined_at, line_asterisk, line_twilio, until}, or false when there is nothing to claim.
--- @include announce
local seat = redis.call('HMGET', KEYS[4], 'state', 'until', 'line_asterisk', 'line_twilio', 'held')
local rested = seat[1] == 'wrap_up' and (tonumber(seat[2]) or 0) <= tonumber(ARGV[1])
if seat[5] or (seat[1] ~= 'free' and not rested) then
  local claim = redis.call('HMGET', KEYS[3], 'state', 'nonce', 'call_id', 'token', 'joined_at', 'until')
  if claim[1] == 'ringing' and claim[2] == ARGV[3] then
    return { claim[3], claim[4], claim[5], seat[3] or '', seat[4] or '', claim[6] } -- the answer was lost: say it again
  end
  return false
end
local head = redis.call('ZRANGE', KEYS[1], 0, 0)[1]
if not head then
  return false
end
local token = redis.call('INCR', KEYS[5])
if token == 1 then -- the counter is new, or was lost: it goes on above all that were given out
  token = redis.call('INCRBY', KEYS[5], ARGV[5])
end
token = string.format('%.0f', token)
local joined_at = redis.call('HGET', KEYS[2], head) or ARGV[1]
redis.call('HSET', KEYS[3], 'state', 'ringing', 'call_id', head, 'token', token, 'owner', ARGV[2], 'nonce', ARGV[3],
  'joined_at', joined_at, 'until', ARGV[4])
redis.call('HSET', KEYS[4], 'state', 'ringing', 'call_id', head, 'token', token, 'since', ARGV[1], 'until', ARGV[4])
-- A seat that is free, or has rested, has no reason.
announce(ARGV[6], ARGV[7])
return { head, token, joined_at, seat[3] or '', seat[4] or '', ARGV[4] }
