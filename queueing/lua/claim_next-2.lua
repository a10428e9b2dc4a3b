-- A seat that is free (or whose wrap-up is over) and not held takes the head of its line. The caller stays in the line, offered.
-- KEYS: waiting, seat
-- ARGV: now, until, name of this attempt (its owner and a number), channel, news for it
-- Returns {call_id, token, line_asterisk, line_twilio}, or false when there is nothing to claim.
local seat = redis.call('HMGET', KEYS[2], 'state', 'token', 'held', 'until', 'line_asterisk', 'line_twilio')
if seat[3] or (seat[1] ~= 'free' and (seat[1] ~= 'wrap_up' or (tonumber(seat[4]) or 0) > tonumber(ARGV[1]))) then
  local claim = redis.call('HMGET', KEYS[2], 'attempt', 'call_id')
  if seat[1] == 'ringing' and claim[1] == ARGV[3] then
    return { claim[2], seat[2], seat[5] or '', seat[6] or '' } -- the answer was lost: say it again
  end
  return false
end
local head = redis.call('ZRANGE', KEYS[1], '0', '0')[1]
if not head then
  return false
end
-- The tokens of a seat that is new, was lost, or came back older go on above all that were given out: nobody claims twice a
-- second for long.
local token = math.max(tonumber(seat[2]) or 0, math.floor(ARGV[1])) + 1
redis.call('HSET', KEYS[2], 'state', 'ringing', 'token', token, 'until', ARGV[2], 'since', ARGV[1], 'call_id', head,
  'attempt', ARGV[3])
-- A seat that is free, or has rested, has no reason.
redis.call('PUBLISH', ARGV[4], ARGV[5])
return { head, token, seat[5] or '', seat[6] or '' }
