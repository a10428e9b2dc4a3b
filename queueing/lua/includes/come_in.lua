-- The end of a join, as it stands: what is known of who has come in at `position`.
redis.call('HSET', KEYS[2], call, ARGV[3])
if ARGV[9] ~= '' then
  redis.call('HSET', KEYS[4], call, ARGV[9])
  redis.call('EXPIRE', KEYS[4], ARGV[6])
end
redis.call('PUBLISH', ARGV[7], ARGV[8])
if position == 1 then -- what is known is forgotten so long after the line was last empty
  redis.call('EXPIRE', KEYS[3], ARGV[6])
end
return position
