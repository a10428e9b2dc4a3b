-- Tells every process that listens that this line has changed.
local function announce(channel, seat_id)
  redis.call('PUBLISH', channel, cjson.encode({ kind = 'line', id = seat_id }))
end
