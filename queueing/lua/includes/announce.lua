-- Tells every process that listens that this line has changed. A seat id holds nothing that JSON would have to quote.
local function announce(channel, seat_id)
  redis.call('PUBLISH', channel, '{"kind":"line","id":"' .. seat_id .. '"}')
end
