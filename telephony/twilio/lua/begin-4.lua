-- A webhook of a call arrives: a sign of life, and perhaps a repetition. One by which a call arrives leaves no trace: it is
-- nobody's to be interrupted yet.
-- KEYS: leg, answers, heard, call
-- ARGV: call_id, now, digest of the webhook, id of this request ("" = a call arrives), seconds to keep the leg
-- Returns the answer that was given to this webhook before, or false; and of the call: JSON, seq, second and turns.
local given = redis.call('HGET', KEYS[2], ARGV[3])
if ARGV[4] ~= '' then
  redis.call('ZADD', KEYS[3], ARGV[2], ARGV[1])
  if not given then
    redis.call('HSET', KEYS[1], 'busy', ARGV[4], 'busy_at', ARGV[2])
    redis.call('EXPIRE', KEYS[1], ARGV[5])
  end
end
return { given, unpack(redis.call('HMGET', KEYS[4], 'call', 'seq', 'second', 'turns')) }
