-- Writes the newest seal down. The number only grows: a shorter chain never takes the place of what is known.
-- KEYS: head
-- ARGV: number, digest
-- Returns 1; 0 when this seal or a newer one is written down already.
if tonumber(ARGV[1]) <= tonumber(redis.call('HGET', KEYS[1], 'number') or '0') then
  return 0
end
redis.call('HSET', KEYS[1], 'number', ARGV[1], 'digest', ARGV[2])
return 1
