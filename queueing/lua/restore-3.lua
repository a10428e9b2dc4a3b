-- A claim that is known to whoever rings or talks, and not to Redis, which lost it or came back older: it is put back. Where the
-- same caller was claimed anew meanwhile, that claim is theirs; of another caller it stays.
-- KEYS: waiting, callers, seat
-- ARGV: call_id, token, "ringing" or "talking", since, until ("" for a talk), channel, news for it
-- Returns the token that holds from now on; 0 when there is another claim already.
local claim = redis.call('HMGET', KEYS[3], 'token', 'state', 'call_id')
local token = ARGV[2]
if claim[1] == token and claim[2] == 'talking' and ARGV[3] == 'talking' and claim[3] == ARGV[1] then
  return tonumber(token) -- it was put back: the answer was lost
end
if claim[1] and claim[2] == 'ringing' and claim[3] == ARGV[1] and tonumber(claim[1]) >= tonumber(token) then
  token = claim[1]
elseif claim[1] and (tonumber(claim[1]) >= tonumber(token) or claim[2] == 'ringing' or claim[2] == 'talking') then
  return 0
end
redis.call('HSET', KEYS[3], 'state', ARGV[3], 'call_id', ARGV[1], 'token', token, 'since', ARGV[4], 'until', ARGV[5],
  'reason', '', 'attempt', '')
if ARGV[3] == 'talking' then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('HDEL', KEYS[2], ARGV[1])
end
redis.call('PUBLISH', ARGV[6], ARGV[7])
return tonumber(token)
