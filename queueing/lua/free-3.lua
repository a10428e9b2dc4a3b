-- The seat is done with this claim: wrap-up after a talk, else free. A caller who never left stays at the head.
-- KEYS: claim, seat, pace
-- ARGV: token, "1" after a talk, wrap-up until (empty = none), at, channel, seat_id
-- Returns 1; 0 for a claim that is over or overtaken.
--- @include announce
--- @include settle
local claim = redis.call('HMGET', KEYS[1], 'token', 'state')
if claim[1] ~= ARGV[1] or claim[2] == 'freed' or claim[2] == 'returned' then
  return 0
end
redis.call('HSET', KEYS[1], 'state', 'freed')
local seat = redis.call('HMGET', KEYS[2], 'state', 'since', 'token')
if ARGV[2] == '1' and seat[1] == 'talking' and seat[3] == ARGV[1] then -- for the forecast
  redis.call('HINCRBY', KEYS[3], 'talks', 1)
  redis.call('HINCRBYFLOAT', KEYS[3], 'talked_s',
    string.format('%.3f', math.max(0, tonumber(ARGV[4]) - tonumber(seat[2]))))
end
if claim[2] ~= 'reaped' then
  local wraps_up = ARGV[2] == '1' and ARGV[3] ~= ''
  settle(KEYS[2], wraps_up and 'wrap_up' or 'free', '', wraps_up and ARGV[3] or '', ARGV[4])
end
announce(ARGV[5], ARGV[6])
return 1
