-- One line at this moment, and the place of one call in it.
-- KEYS: waiting, seat, pace, left, marks
-- ARGV: call_id, fields of the seat
-- Returns {depth, rank from 0 or false, the values of these fields, the hashes pace and left, how many keep a place}.
return {
  redis.call('ZCARD', KEYS[1]), redis.call('ZRANK', KEYS[1], ARGV[1]),
  redis.call('HMGET', KEYS[2], unpack(ARGV, 2)), redis.call('HGETALL', KEYS[3]), redis.call('HGETALL', KEYS[4]), redis.call('HLEN', KEYS[5]),
}
