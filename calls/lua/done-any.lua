-- The first commands of some lanes of a shard are performed (0 = the performer is only alive). Each performer goes on with the
-- rest, if there is any, under a new name: whoever says the same once more, because the answer was lost, takes nothing away of
-- what came in behind them.
-- KEYS: outbox, performers, tries, and todo of each lane
-- ARGV: lease until, then for each lane: `<lane>:<call_id>`, performer, how many, the performer's name for the rest
-- Returns for each lane how many are left; -1 when the lane is not the performer's any more: somebody else took over, because we
-- were too slow, or this was said before and nothing was left.
local function done(todo, member, performer, count, from_now_on)
  local holder = redis.call('HGET', KEYS[2], member)
  if holder ~= performer then
    return holder == from_now_on and redis.call('LLEN', todo) or -1
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
    if count ~= '0' then
      redis.call('HSET', KEYS[2], member, from_now_on)
    end
  end
  return left
end
local left = {}
for lane = 1, #KEYS - 3 do
  local first = 4 * lane - 2
  left[lane] = done(KEYS[3 + lane], ARGV[first], ARGV[first + 1], ARGV[first + 2], ARGV[first + 3])
end
return left
