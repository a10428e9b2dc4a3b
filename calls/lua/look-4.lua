-- One line at this moment, and the place of one call in it.
-- KEYS: waiting, seat, pace, left
-- ARGV: call_id
-- Returns {depth, rank from 0 or false, the fields of seat, of pace, of left}.
return {
  redis.call('ZCARD', KEYS[1]), redis.call('ZRANK', KEYS[1], ARGV[1]),
  redis.call('HGETALL', KEYS[2]), redis.call('HGETALL', KEYS[3]), redis.call('HGETALL', KEYS[4]),
}
