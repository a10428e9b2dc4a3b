-- An answer is about to be given, which shows a scene. It is not given when an interruption is about to show the same scene:
-- the cloud would begin it twice, and a leader would be rung twice.
-- K: leg, answers, heard
-- A: call_id, now, digest of the webhook, id of the request, scene, node, answer, "1" when it is asked to present,
--    seconds an interruption may take, seconds to keep an answer, "1" when the call has ended
-- Returns 1; 0 when an interruption shows this scene.
local function finish(K, A)
  if A[4] ~= '' and redis.call('HGET', K[1], 'busy') == A[4] then
    redis.call('HDEL', K[1], 'busy')
  end
  if A[11] == '1' then
    redis.call('ZREM', K[3], A[1])
  else
    local leg = redis.call('HMGET', K[1], 'shown', 'by', 'shown_at')
    local coming = leg[1] == A[5] and leg[2] == 'update' and tonumber(A[2]) - tonumber(leg[3]) < tonumber(A[9])
    if coming and A[8] ~= '1' then
      return 0
    end
    redis.call('HSET', K[1], 'shown', A[5], 'by', 'answer', 'node', A[6], 'shown_at', A[2])
  end
  redis.call('HSET', K[2], A[3], A[7])
  redis.call('EXPIRE', K[2], A[10])
  return 1
end
