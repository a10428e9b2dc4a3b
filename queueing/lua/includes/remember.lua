-- Notes the newest act known of a call, in a hash that is forgotten so many seconds after its first call.
local function remember(seen, call, at_seq, seconds)
  if redis.call('HSET', seen, call, at_seq) == 1 and redis.call('HLEN', seen) == 1 then
    redis.call('EXPIRE', seen, seconds)
  end
end
