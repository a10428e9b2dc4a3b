-- May this process interrupt what the cloud plays, to show a newer scene?
-- KEYS: leg
-- ARGV: scene, node, now, seconds a webhook may be under way, name of this question
-- Returns 1 = yes, it is yours; 0 = there is no need; -1 = a webhook is under way, look again.
local leg = redis.call('HMGET', KEYS[1], 'shown', 'node', 'busy', 'busy_at', 'by', 'asked')
if leg[1] and tonumber(leg[1]) >= tonumber(ARGV[1]) then
  local ours = leg[1] == ARGV[1] and leg[5] == 'update' and leg[6] == ARGV[5]
  return ours and 1 or 0 -- the answer was lost: say it again
end
if leg[3] and tonumber(ARGV[3]) - tonumber(leg[4]) < tonumber(ARGV[4]) then
  return -1
end
if not leg[1] or (leg[2] == 'waiting' and ARGV[2] == 'waiting') then
  return 0
end
redis.call('HSET', KEYS[1], 'shown', ARGV[1], 'by', 'update', 'node', ARGV[2], 'shown_at', ARGV[3],
  'asked', ARGV[5])
return 1
