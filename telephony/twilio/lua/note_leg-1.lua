-- What the cloud tells of a placed call: it moves on, and never back.
-- KEYS: leg
-- ARGV: seconds to keep it, CallSid (may be empty), state (may be empty), the states that it may follow
-- Returns the state it is in then; empty = unknown.
if ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], 'call_sid', ARGV[2])
end
local known = redis.call('HGET', KEYS[1], 'state') or ''
if ARGV[3] ~= '' then
  local follows = known == ''
  for i = 4, #ARGV do
    follows = follows or ARGV[i] == known
  end
  if follows then
    known = ARGV[3]
    redis.call('HSET', KEYS[1], 'state', known)
  end
end
redis.call('EXPIRE', KEYS[1], ARGV[1])
return known
