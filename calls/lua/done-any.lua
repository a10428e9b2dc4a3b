-- The first commands of some lanes of a shard are performed (0 = the performer is only alive). Each performer goes on with the
-- rest, if there is any.
-- KEYS: outbox, performers, tries, and todo of each lane
-- ARGV: lease until, then for each lane: `<lane>:<call_id>`, performer, how many
-- Returns for each lane how many are left; -1 when somebody else took over, because we were too slow.
local function done(todo, member, performer, count)
  if redis.call('HGET', KEYS[2], member) ~= performer then
    return -1
  end
  if count ~= '0' then
    redis.call('LTRIM', todo, count, -1)
    redis.call('HDEL', KEYS[3], member)
  end
  local left = redis.call('LLEN', todo)
  if left == 0 then
    redis.call('ZREM', KEYS[1], member)
    redis.call('HDEL', KEYS[2], member)
  else
    redis.call('ZADD', KEYS[1], ARGV[1], member)
  end
  return left
end
local left = {}
for lane = 1, #KEYS - 3 do
  local first = 3 * lane - 1
  left[lane] = done(KEYS[3 + lane], ARGV[first], ARGV[first + 1], ARGV[first + 2])
end
return left
