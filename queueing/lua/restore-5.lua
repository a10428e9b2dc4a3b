-- A claim that is known to whoever rings or talks, and to nobody else, because Redis lost it: it is put back, unless the
-- seat was claimed anew meanwhile.
-- KEYS: waiting, callers, claim, seat, token
-- ARGV: call_id, token, "ringing" or "talking", joined_at, since, until ("" for a talk), channel, seat_id
-- Returns 1; 0 when there is a claim already.
--- @include announce
local claim = redis.call('HMGET', KEYS[3], 'token', 'state')
if claim[1] and (tonumber(claim[1]) >= tonumber(ARGV[2]) or claim[2] == 'ringing' or claim[2] == 'talking') then
  return 0
end
redis.call('HSET', KEYS[3], 'state', ARGV[3], 'call_id', ARGV[1], 'token', ARGV[2], 'owner', '', 'nonce', '', 'joined_at',
  ARGV[4], 'until', ARGV[6])
redis.call('HSET', KEYS[4], 'state', ARGV[3], 'call_id', ARGV[1], 'token', ARGV[2], 'since', ARGV[5], 'until', ARGV[6],
  'reason', '')
if tonumber(redis.call('GET', KEYS[5]) or '0') < tonumber(ARGV[2]) then
  redis.call('SET', KEYS[5], ARGV[2])
end
if ARGV[3] == 'talking' then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('HDEL', KEYS[2], ARGV[1])
end
announce(ARGV[7], ARGV[8])
return 1
