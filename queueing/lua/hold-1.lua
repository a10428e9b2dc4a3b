-- The line is held, or goes on. Apart from the seat's own state: a leader who signs in, pauses or is ready meanwhile ends no hold.
-- KEYS: seat
-- ARGV: "1" = held, else it goes on; channel, news for it
-- Returns 1 when that is news.
local changed
if ARGV[1] == '1' then
  changed = redis.call('HSET', KEYS[1], 'held', '1')
else
  changed = redis.call('HDEL', KEYS[1], 'held')
end
redis.call('PUBLISH', ARGV[2], ARGV[3])
return changed
