-- A caller who waits moves to another place, never ahead of the one who is just offered to the leader; the others close up.
-- KEYS: waiting, seat
-- ARGV: call_id, position from 1, channel, news for it
-- Returns the new position; 0 when the caller is not in the line, -1 when the caller is just offered to the leader.
--- @include place
local from = redis.call('ZRANK', KEYS[1], ARGV[1])
if not from then
  return 0
end
local to = math.min(tonumber(ARGV[2]), redis.call('ZCARD', KEYS[1])) - 1
local seat = redis.call('HMGET', KEYS[2], 'state', 'call_id')
if seat[1] == 'ringing' then
  if seat[2] == ARGV[1] then
    return -1
  end
  local offered = redis.call('ZRANK', KEYS[1], seat[2])
  if offered then
    to = math.max(to, offered < from and offered + 1 or offered)
  end
end
if to ~= from then
  place(KEYS[1], ARGV[1], to)
  redis.call('PUBLISH', ARGV[3], ARGV[4])
end
return to + 1
