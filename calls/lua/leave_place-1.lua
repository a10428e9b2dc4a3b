-- A call has left the line. Whoever was cut off may have the place back within the grace time; else it is given up.
-- KEYS: place
-- ARGV: call_id, left_at, seconds of grace (0 = given up)
-- Returns 1; 0 when another call of the number has the place.
if redis.call('HGET', KEYS[1], 'call_id') ~= ARGV[1] then
  return 0
end
if ARGV[3] == '0' then
  redis.call('DEL', KEYS[1])
else
  redis.call('HSET', KEYS[1], 'left_at', ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[3])
end
return 1
