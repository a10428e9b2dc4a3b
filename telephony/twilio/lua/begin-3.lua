-- A webhook of a call arrives: a sign of life, and perhaps a repetition.
-- KEYS: leg, answers, heard
-- ARGV: call_id, now, digest of the webhook, id of this request, seconds to keep the leg
-- Returns the answer that was given to this webhook before, or false.
redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
local given = redis.call('HGET', KEYS[2], ARGV[3])
if given then
  return given
end
redis.call('HSET', KEYS[1], 'busy', ARGV[4], 'busy_at', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[5])
return false
