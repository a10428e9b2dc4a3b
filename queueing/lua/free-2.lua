-- The seat is done with this claim: wrap-up after a talk, else free. A caller who never left stays at the head.
-- KEYS: claim, seat
-- ARGV: token, "1" after a talk, wrap-up until (empty = none), at, channel, seat_id
-- Returns 1; 0 for a claim that is over or overtaken.
--- @include announce
--- @include settle
local claim = redis.call('HMGET', KEYS[1], 'token', 'state')
if claim[1] ~= ARGV[1] or claim[2] == 'freed' or claim[2] == 'returned' then
  return 0
end
redis.call('HSET', KEYS[1], 'state', 'freed')
if claim[2] ~= 'reaped' then
  local wraps_up = ARGV[2] == '1' and ARGV[3] ~= ''
  settle(KEYS[2], wraps_up and 'wrap_up' or 'free', '', wraps_up and ARGV[3] or '', ARGV[4])
end
announce(ARGV[5], ARGV[6])
return 1
