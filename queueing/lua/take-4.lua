-- The leader took the call: the seat talks, the caller has left the line. A claim that lapsed meanwhile is still good
-- as long as nobody else was claimed, because two people who talk must not be cut.
-- KEYS: waiting, callers, seat, left
-- ARGV: token, at, channel, news for it
-- Returns 1, also when it is repeated; 0 for a claim that is over or overtaken.
--- @include fate
local seat = redis.call('HMGET', KEYS[3], 'token', 'state', 'fate', 'call_id', 'reason')
local fate = fate_of(seat[2], seat[3])
if seat[1] ~= ARGV[1] then
  return 0
end
if fate == 'talking' then
  return 1
end
if fate ~= 'ringing' and fate ~= 'reaped' and fate ~= 'returned' then
  return 0
end
if seat[2] == 'closed' then
  redis.call('HSET', KEYS[3], 'closing', '1')
elseif fate == 'reaped' and seat[2] == 'paused' then
  redis.call('HSET', KEYS[3], 'pause_after', seat[5] or '')
end
if redis.call('ZREM', KEYS[1], seat[4]) == 1 then
  redis.call('HDEL', KEYS[2], seat[4])
  redis.call('HINCRBY', KEYS[4], 'talked', 1)
end
redis.call('HSET', KEYS[3], 'state', 'talking', 'since', ARGV[2], 'until', '', 'reason', '')
redis.call('PUBLISH', ARGV[3], ARGV[4])
return 1
