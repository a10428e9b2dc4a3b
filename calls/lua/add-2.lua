-- A command that belongs to no turn is put behind those of its lane: anybody may perform it, or whoever performs the lane now.
-- KEYS: outbox, todo
-- ARGV: `<lane>:<call_id>`, now, entry
-- Returns how many wait in the lane.
redis.call('ZADD', KEYS[1], 'NX', ARGV[2], ARGV[1])
if redis.call('LINDEX', KEYS[2], -1) == ARGV[3] then -- the answer was lost
  return redis.call('LLEN', KEYS[2])
end
return redis.call('RPUSH', KEYS[2], ARGV[3])
