-- A token bucket: so many acts a second, `burst` of them at once.
-- KEYS: bucket
-- ARGV: now, tokens a second, burst, name of this question
-- Returns the seconds to wait before the act is allowed, as text; "0" = now, and the token is taken.
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at', 'taken_by')
if bucket[3] == ARGV[4] then
  return '0' -- the answer was lost: say it again
end
local now, rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local tokens = tonumber(bucket[1]) or burst
local at = tonumber(bucket[2]) or now
tokens = math.min(burst, tokens + math.max(0, now - at) * rate)
if tokens < 1 then
  return string.format('%.3f', (1 - tokens) / rate)
end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.6f', tokens - 1), 'at', string.format('%.6f', now),
  'taken_by', ARGV[4])
redis.call('EXPIRE', KEYS[1], math.ceil(burst / rate) + 60)
return '0'
