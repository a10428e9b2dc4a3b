-- A caller joins the line; one who is there already keeps the place.
-- KEYS: waiting, callers, seen
-- ARGV: call_id, at_seq, joined_at, first score, last score of this joining time, seconds to remember, channel, seat_id
-- Returns the position from 1; 0 when something newer is known of this call and it is not in the line.
--- @include announce
--- @include remember
local call, at_seq = ARGV[1], tonumber(ARGV[2])
local newest = redis.call('HGET', KEYS[3], call)
local rank = newest and redis.call('ZRANK', KEYS[1], call) -- of whom nothing is known does not wait here
if newest and at_seq <= tonumber(newest) then
  return rank and rank + 1 or 0
end
remember(KEYS[3], call, ARGV[2], ARGV[6])
if rank then
  return rank + 1
end
local score = ARGV[4]
local same = redis.call('ZREVRANGEBYSCORE', KEYS[1], ARGV[5], ARGV[4], 'WITHSCORES', 'LIMIT', 0, 1)
if same[1] then
  score = string.format('%.0f', math.min(tonumber(same[2]) + 1, tonumber(ARGV[5])))
end
redis.call('ZADD', KEYS[1], 'NX', score, call)
redis.call('HSET', KEYS[2], call, ARGV[3])
announce(ARGV[7], ARGV[8])
return redis.call('ZRANK', KEYS[1], call) + 1
