-- A number's place in a line is this call's from now on.
-- KEYS: place
-- ARGV: call_id, seat_id, joined_at, seconds to keep
-- Returns the id of the call that waited by this place until now; empty when there is none.
local before = redis.call('HMGET', KEYS[1], 'call_id', 'left_at')
redis.call('HSET', KEYS[1], 'call_id', ARGV[1], 'seat_id', ARGV[2], 'joined_at', ARGV[3], 'left_at', '')
redis.call('EXPIRE', KEYS[1], ARGV[4])
if before[1] and before[1] ~= ARGV[1] and before[2] == '' then
  return before[1]
end
return ''
