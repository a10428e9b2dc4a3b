-- The owner of a ringing claim is alive. A talk needs no renewal: it survives whoever started it.
-- KEYS: seat
-- ARGV: token, until
-- Returns 1; 0 for a claim that lapsed, is over or was overtaken: its owner must let go.
local claim = redis.call('HMGET', KEYS[1], 'token', 'state')
if claim[1] ~= ARGV[1] then
  return 0
end
if claim[2] == 'ringing' then
  redis.call('HSET', KEYS[1], 'until', ARGV[2])
  return 1
end
return claim[2] == 'talking' and 1 or 0
