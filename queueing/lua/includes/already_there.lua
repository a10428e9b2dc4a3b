-- The beginning of a join, as it stands: the answer for a caller who is there already, or of whom something newer is known.
local call = ARGV[1]
if redis.call('HSETNX', KEYS[3], call, ARGV[2]) == 0 then -- of whom nothing is known does not wait here
  local rank = redis.call('ZRANK', KEYS[1], call)
  if tonumber(ARGV[2]) <= tonumber(redis.call('HGET', KEYS[3], call)) then
    return rank and -rank - 1 or 0
  end
  redis.call('HSET', KEYS[3], call, ARGV[2])
  if rank then
    return -rank - 1
  end
end
