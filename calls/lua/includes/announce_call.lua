-- Tells every process that listens that this call has changed. `shown`: the caller hears it already.
local function announce_call(channel, call_id, seq, shown)
  local change = { kind = 'call', id = call_id, seq = tonumber(seq) }
  if shown then
    change.shown = true
  end
  redis.call('PUBLISH', channel, cjson.encode(change))
end
