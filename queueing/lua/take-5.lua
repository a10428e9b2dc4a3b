-- The leader took the call: the seat talks, the caller has left the line. A claim that lapsed meanwhile is still good
-- as long as nobody else was claimed, because two people who talk must not be cut.
-- KEYS: waiting, callers, claim, seat, left
-- ARGV: token, at, channel, seat_id
-- Returns 1, also when it is repeated; 0 for a claim that is over or overtaken.
--- @include announce
local claim = redis.call('HMGET', KEYS[3], 'token', 'state', 'call_id')
if claim[1] ~= ARGV[1] then
  return 0
end
if claim[2] == 'talking' then
  return 1
end
if claim[2] ~= 'ringing' and claim[2] ~= 'reaped' and claim[2] ~= 'returned' then
  return 0
end
local seat = redis.call('HMGET', KEYS[4], 'state', 'reason')
if claim[2] ~= 'ringing' and seat[1] == 'closed' then
  redis.call('HSET', KEYS[4], 'closing', '1')
elseif claim[2] == 'reaped' and seat[1] == 'paused' then
  redis.call('HSET', KEYS[4], 'pause_after', seat[2] or '')
end
if redis.call('ZREM', KEYS[1], claim[3]) == 1 then
  redis.call('HDEL', KEYS[2], claim[3])
  redis.call('HINCRBY', KEYS[5], 'talked', 1)
end
redis.call('HSET', KEYS[3], 'state', 'talking', 'until', '')
redis.call('HSET', KEYS[4], 'state', 'talking', 'call_id', claim[3], 'token', ARGV[1], 'since', ARGV[2], 'until', '',
  'reason', '', 'gone', '0')
announce(ARGV[3], ARGV[4])
return 1
