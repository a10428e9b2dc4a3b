-- The seat is done with this claim: wrap-up after a talk, else free. A caller who never left stays at the head.
-- KEYS: seat, pace
-- ARGV: token, "1" after a talk, wrap-up until (empty = none), at, channel, news for it
-- Returns 1; 0 for a claim that is over or overtaken.
--- @include fate
--- @include settle
local seat = redis.call('HMGET', KEYS[1], 'token', 'state', 'fate', 'since')
local fate = fate_of(seat[2], seat[3])
if seat[1] ~= ARGV[1] or (fate ~= 'ringing' and fate ~= 'talking' and fate ~= 'reaped') then
  return 0
end
if ARGV[2] == '1' and fate == 'talking' then -- for the forecast
  redis.call('HINCRBY', KEYS[2], 'talks', 1)
  redis.call('HINCRBYFLOAT', KEYS[2], 'talked_s',
    string.format('%.3f', math.max(0, tonumber(ARGV[4]) - tonumber(seat[4]))))
end
if ARGV[2] == '1' then -- the two were together: whoever hangs up before that is counted anew
  redis.call('HDEL', KEYS[1], 'gone')
end
if fate == 'reaped' then
  redis.call('HSET', KEYS[1], 'fate', 'freed')
else
  local wraps_up = ARGV[2] == '1' and ARGV[3] ~= ''
  settle(KEYS[1], 'freed', wraps_up and 'wrap_up' or 'free', '', wraps_up and ARGV[3] or '', ARGV[4])
end
redis.call('PUBLISH', ARGV[5], ARGV[6])
return 1
