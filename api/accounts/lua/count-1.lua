-- Count one try within a window that begins with the first.
-- KEYS  1 tries
-- ARGV  1 seconds of the window
-- Returns the tries so far, and the seconds until counting begins anew.
local tries = redis.call('INCR', KEYS[1])
local left = redis.call('TTL', KEYS[1])
if left < 0 then
  redis.call('EXPIRE', KEYS[1], ARGV[1])
  left = tonumber(ARGV[1])
end
return {tries, left}
