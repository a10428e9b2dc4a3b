-- Take one try off the count; the window stays.
-- KEYS  1 tries
-- Returns the tries that stay counted.
local tries = tonumber(redis.call('GET', KEYS[1]) or '0')
if tries <= 1 then
  redis.call('DEL', KEYS[1])
  return 0
end
return redis.call('DECR', KEYS[1])
