-- Tells every process that listens that this call has changed.
local function announce_call(channel, call_id, seq)
  redis.call('PUBLISH', channel, cjson.encode({ kind = 'call', id = call_id, seq = tonumber(seq) }))
end
