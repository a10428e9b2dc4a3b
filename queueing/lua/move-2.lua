-- A caller who waits moves to another place; the others close up. The places' scores stay, the callers rotate over them,
-- so that nothing is lost in rounding and whoever joins later stands behind all of them.
-- KEYS: waiting, claim
-- ARGV: call_id, position from 1, channel, seat_id
-- Returns the new position; 0 when the caller is not in the line, -1 when the caller is just offered to the leader.
--- @include announce
local from = redis.call('ZRANK', KEYS[1], ARGV[1])
if not from then
  return 0
end
local claim = redis.call('HMGET', KEYS[2], 'state', 'call_id')
if claim[1] == 'ringing' and claim[2] == ARGV[1] then
  return -1
end
local to = math.min(tonumber(ARGV[2]), redis.call('ZCARD', KEYS[1])) - 1
if to == from then
  return to + 1
end
local rows = redis.call('ZRANGE', KEYS[1], math.min(from, to), math.max(from, to), 'WITHSCORES')
local members, scores = {}, {}
for i = 1, #rows, 2 do
  members[#members + 1] = rows[i]
  scores[#scores + 1] = rows[i + 1]
end
if to < from then
  table.insert(members, 1, table.remove(members))
else
  table.insert(members, table.remove(members, 1))
end
for i = 1, #members do
  redis.call('ZADD', KEYS[1], scores[i], members[i])
end
announce(ARGV[3], ARGV[4])
return to + 1
