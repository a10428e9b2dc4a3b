-- An answer is about to be given, which shows a scene. It is not given when an interruption is about to show the same scene:
-- the cloud would begin it twice, and a leader would be rung twice.
-- KEYS: leg, answers, heard, call
-- ARGV: call_id, now, digest of the webhook, id of the request, scene, node, answer, "1" when it is asked to present,
--       seconds an interruption may take, seconds to keep an answer, "1" when the call has ended,
--       seq that the call must have ("" = any)
-- Returns 1; 0 when an interruption shows this scene; -1 when the call was not saved like this.
if ARGV[12] ~= '' and redis.call('HGET', KEYS[4], 'seq') ~= ARGV[12] then
  return -1
end
if redis.call('HGET', KEYS[1], 'busy') == ARGV[4] then
  redis.call('HDEL', KEYS[1], 'busy')
end
if ARGV[11] == '1' then
  redis.call('ZREM', KEYS[3], ARGV[1])
else
  local leg = redis.call('HMGET', KEYS[1], 'shown', 'by', 'shown_at')
  local coming = leg[1] == ARGV[5] and leg[2] == 'update' and tonumber(ARGV[2]) - tonumber(leg[3]) < tonumber(ARGV[9])
  if coming and ARGV[8] ~= '1' then
    return 0
  end
  redis.call('HSET', KEYS[1], 'shown', ARGV[5], 'by', 'answer', 'node', ARGV[6], 'shown_at', ARGV[2])
end
redis.call('HSET', KEYS[2], ARGV[3], ARGV[7])
redis.call('EXPIRE', KEYS[2], ARGV[10])
return 1
