-- A caller joins the line; one who is there already keeps the place.
-- KEYS: waiting, callers, seen, late
-- ARGV: call_id, at_seq, joined_at, first score, last score of this joining time, seconds to remember, channel, news for it,
-- now, if the caller comes long after saying yes: kept until it is told, so that whoever repeats this after a death knows; else ""
-- Returns the position from 1, with a minus when it was there already; 0 when something newer is known of this call and it is
-- not in the line.
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
local score = ARGV[4]
local is_last = redis.call('ZCOUNT', KEYS[1], score, '+inf') == 0
if not is_last then
  local same = redis.call('ZREVRANGEBYSCORE', KEYS[1], ARGV[5], score, 'WITHSCORES', 'LIMIT', 0, 1)
  if same[1] then
    score = string.format('%.0f', math.min(tonumber(same[2]) + 1, tonumber(ARGV[5])))
  end
end
redis.call('ZADD', KEYS[1], score, call)
redis.call('HSET', KEYS[2], call, ARGV[3])
if ARGV[9] ~= '' then
  redis.call('HSET', KEYS[4], call, ARGV[9])
  redis.call('EXPIRE', KEYS[4], ARGV[6])
end
redis.call('PUBLISH', ARGV[7], ARGV[8])
local position = is_last and redis.call('ZCARD', KEYS[1]) or redis.call('ZRANK', KEYS[1], call) + 1
if position == 1 then -- what is known is forgotten so long after the line was last empty
  redis.call('EXPIRE', KEYS[3], ARGV[6])
end
return position
