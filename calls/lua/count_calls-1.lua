-- How often a number has called lately; every call counts once, however often it is asked.
-- KEYS: calls
-- ARGV: call_id, now, seconds that count
-- Returns the number of calls, this one included.
redis.call('ZADD', KEYS[1], 'NX', ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.3f', tonumber(ARGV[2]) - tonumber(ARGV[3])))
redis.call('EXPIRE', KEYS[1], math.ceil(tonumber(ARGV[3])) + 1)
return redis.call('ZCARD', KEYS[1])
