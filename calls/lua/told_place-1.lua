-- All who waited by a number's place before this call were told.
-- KEYS: place
-- ARGV: call_id
-- Returns 1.
if redis.call('HGET', KEYS[1], 'call_id') == ARGV[1] then
  redis.call('HDEL', KEYS[1], 'to_tell')
end
return 1
