-- The leader did not take the caller, who kept the place at the head all the time; the seat pauses, or is free again.
-- KEYS: seat, waiting
-- ARGV: token, reason, "1" when the seat is to pause, now, how many may go first, "1" when it is of a talk that was none,
-- channel, news for it
-- Returns 1; 0 for a claim that is over or overtaken, or whose talk has begun and was one.
--- @include fate
--- @include settle
--- @include place
local seat = redis.call('HMGET', KEYS[1], 'token', 'state', 'fate', 'call_id')
local fate = fate_of(seat[2], seat[3])
local never_talked = fate == 'talking' and ARGV[6] == '1'
if seat[1] ~= ARGV[1] or (fate ~= 'ringing' and fate ~= 'reaped' and not never_talked) then
  return 0
end
if ARGV[2] == 'gone' then -- in a row: a talk, a resumed seat and a leader who signs in begin anew
  redis.call('HINCRBY', KEYS[1], 'gone', 1)
end
-- Who comes too late with the beginning of a talk that was none does not begin it anew.
local after = never_talked and 'freed' or 'returned'
if never_talked or fate == 'ringing' or (seat[2] == 'free' and ARGV[3] == '1') then
  settle(KEYS[1], after, ARGV[3] == '1' and 'paused' or 'free', ARGV[3] == '1' and ARGV[2] or '', '', ARGV[4])
else
  redis.call('HSET', KEYS[1], 'fate', 'returned')
end
local behind = math.min(tonumber(ARGV[5]), redis.call('ZCARD', KEYS[2]) - 1)
if behind > 0 and redis.call('ZRANK', KEYS[2], seat[4]) == 0 then
  place(KEYS[2], seat[4], behind)
end
redis.call('PUBLISH', ARGV[7], ARGV[8])
return 1
