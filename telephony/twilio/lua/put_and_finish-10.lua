-- Saves a turn if nobody saved one since, together with the answer by which the caller hears of it: whom the answer tells
-- everything, of them nobody else is told.
-- KEYS: as `put` (7), as `finish` (3)
-- ARGV: channel, seconds to keep the leg, "1" when the answer is all there is to be done, as `finish` (11), as `put`
-- Returns as `put`; and fourth, what `finish` returns, -1 when the turn was not saved.
--- @include calls/put
--- @include calls/announce_call
--- @include finish
local said = put(KEYS, { unpack(ARGV, 15) })
said[4] = -1
if said[1] > 0 then
  local K = { KEYS[8], KEYS[9], KEYS[10] }
  local A = { unpack(ARGV, 4, 14) }
  said[4] = finish(K, A)
  if A[11] ~= '1' then
    redis.call('ZADD', K[3], A[2], A[1])
    redis.call('EXPIRE', K[1], ARGV[2])
  end
end
if said[1] == 2 and not (said[4] == 1 and ARGV[3] == '1') then -- else there is nothing that anybody would have to show
  announce_call(ARGV[1], ARGV[4], ARGV[17])
end
return said
