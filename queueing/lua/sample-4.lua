-- A sample of the depth, and what all callers together have waited on the phone since the one before.
-- KEYS: waiting, depths, pace, marks
-- ARGV: now, seconds after which the one before says nothing, how many are kept
-- Returns the depth.
local depth = redis.call('ZCARD', KEYS[1])
local before = redis.call('LINDEX', KEYS[2], -1)
if before then
  local last = cjson.decode(before)
  if last[1] == tonumber(ARGV[1]) then
    return depth -- the answer was lost
  end
  local apart_s = tonumber(ARGV[1]) - last[1]
  local kept = redis.call('HLEN', KEYS[4]) -- who keeps a place has hung up, and does not give up any more
  if apart_s > 0 and apart_s <= tonumber(ARGV[2]) then
    redis.call('HINCRBYFLOAT', KEYS[3], 'waited_s', string.format('%.3f', apart_s * math.max(0, (last[2] + depth) / 2 - kept)))
  end
end
redis.call('RPUSH', KEYS[2], '[' .. ARGV[1] .. ',' .. depth .. ']')
redis.call('LTRIM', KEYS[2], -tonumber(ARGV[3]), -1)
return depth
