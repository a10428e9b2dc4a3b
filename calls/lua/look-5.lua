-- One line at this moment.
-- KEYS: waiting, seat, pace, left, marks
-- ARGV: fields of the seat
-- Returns {depth, the values of these fields, the hashes pace and left, how many keep a place}.
return {
  redis.call('ZCARD', KEYS[1]), redis.call('HMGET', KEYS[2], unpack(ARGV)), redis.call('HGETALL', KEYS[3]),
  redis.call('HGETALL', KEYS[4]), redis.call('HLEN', KEYS[5]),
}
