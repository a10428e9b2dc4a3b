-- What is known of a number: the place it holds, and how often it has called lately. Every call counts once, however often
-- it is asked.
-- KEYS: place, calls
-- ARGV: call_id, now, seconds that count, "1" when this call is counted
-- Returns {number of calls, this one included; call_id, seat_id, joined_at, left_at of the place}.
local count = 0
if ARGV[4] == '1' then
  redis.call('ZADD', KEYS[2], 'NX', ARGV[2], ARGV[1])
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.3f', tonumber(ARGV[2]) - tonumber(ARGV[3])))
  redis.call('EXPIRE', KEYS[2], math.ceil(tonumber(ARGV[3])) + 1)
  count = redis.call('ZCARD', KEYS[2])
end
return { count, unpack(redis.call('HMGET', KEYS[1], 'call_id', 'seat_id', 'joined_at', 'left_at')) }
