-- A claim that is known to whoever rings or talks, and to nobody else, because Redis lost it: it is put back, unless the
-- seat was claimed anew meanwhile.
-- KEYS: waiting, callers, seat
-- ARGV: call_id, token, "ringing" or "talking", since, until ("" for a talk), channel, news for it
-- Returns 1; 0 when there is a claim already.
local claim = redis.call('HMGET', KEYS[3], 'token', 'state')
if claim[1] and (tonumber(claim[1]) >= tonumber(ARGV[2]) or claim[2] == 'ringing' or claim[2] == 'talking') then
  return 0
end
redis.call('HSET', KEYS[3], 'state', ARGV[3], 'call_id', ARGV[1], 'token', ARGV[2], 'since', ARGV[4], 'until', ARGV[5],
  'reason', '', 'attempt', '')
if ARGV[3] == 'talking' then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('HDEL', KEYS[2], ARGV[1])
end
redis.call('PUBLISH', ARGV[6], ARGV[7])
return 1
