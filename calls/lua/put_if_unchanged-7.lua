-- Saves a turn if nobody saved one since, and tells of it.
-- KEYS: as `put`
-- ARGV: channel, then as `put`
-- Returns as `put`.
--- @include put
--- @include announce_call
local said = put(KEYS, { unpack(ARGV, 2) })
if said[1] == 2 then
  announce_call(ARGV[1], ARGV[2], ARGV[4])
end
return said
