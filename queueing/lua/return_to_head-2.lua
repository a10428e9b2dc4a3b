-- The leader did not take the caller, who kept the place at the head all the time; the seat pauses, or is free again.
-- KEYS: claim, seat
-- ARGV: token, reason, "1" when the seat is to pause, now, channel, seat_id
-- Returns 1; 0 for a claim that is over or overtaken, or whose talk has begun.
--- @include announce
--- @include settle
local claim = redis.call('HMGET', KEYS[1], 'token', 'state')
if claim[1] ~= ARGV[1] or (claim[2] ~= 'ringing' and claim[2] ~= 'reaped') then
  return 0
end
redis.call('HSET', KEYS[1], 'state', 'returned')
local still_free = redis.call('HGET', KEYS[2], 'state') == 'free'
if claim[2] == 'ringing' or (still_free and ARGV[3] == '1') then
  settle(KEYS[2], ARGV[3] == '1' and 'paused' or 'free', ARGV[3] == '1' and ARGV[2] or '', '', ARGV[4])
end
announce(ARGV[5], ARGV[6])
return 1
