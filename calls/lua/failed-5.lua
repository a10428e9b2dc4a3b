-- A command failed. It is tried again later and later; after many tries it is set aside in the lane `stuck`, so that the
-- call's other commands go on. There it is tried for ever: nothing is dropped.
-- KEYS: todo, outbox, performers, tries, todo of lane stuck
-- ARGV: `<lane>:<call_id>`, performer, how many were done before it, now, first pause, longest pause, tries before it is
--       set aside, `stuck:<call_id>`
-- Returns the number of tries, also when it is repeated before the command is tried again; -1 when somebody else took over.
local now, longest = tonumber(ARGV[4]), tonumber(ARGV[6])
local function after(pause)
  return string.format('%.3f', now + pause)
end
local function again(member, pause)
  redis.call('ZADD', KEYS[2], after(pause), member)
end
local holder = redis.call('HGET', KEYS[3], ARGV[1])
if holder ~= ARGV[2] then
  local tries = redis.call('HGET', KEYS[4], ARGV[1])
  if not holder and tries then
    return tonumber(tries)
  end
  local aside = redis.call('ZSCORE', KEYS[2], ARGV[8])
  return aside and tonumber(aside) == tonumber(after(longest)) and tonumber(ARGV[7]) or -1
end
redis.call('LTRIM', KEYS[1], ARGV[3], -1)
redis.call('HDEL', KEYS[3], ARGV[1])
local tries = redis.call('HINCRBY', KEYS[4], ARGV[1], 1)
local in_stuck = ARGV[1] == ARGV[8]
if in_stuck or tries >= tonumber(ARGV[7]) then
  redis.call('RPUSH', KEYS[5], redis.call('LPOP', KEYS[1]))
  again(ARGV[8], longest)
  if not in_stuck then
    redis.call('HDEL', KEYS[4], ARGV[1])
    if redis.call('LLEN', KEYS[1]) == 0 then
      redis.call('ZREM', KEYS[2], ARGV[1])
    else
      again(ARGV[1], 0)
    end
  end
else
  again(ARGV[1], math.min(longest, tonumber(ARGV[5]) * 2 ^ (tries - 1)))
end
return tries
