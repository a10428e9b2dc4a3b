-- The leader did not take the caller, who kept the place at the head all the time; the seat pauses, or is free again.
-- KEYS: claim, seat, waiting
-- ARGV: token, reason, "1" when the seat is to pause, now, how many may go first, channel, seat_id
-- Returns 1; 0 for a claim that is over or overtaken, or whose talk has begun.
--- @include announce
--- @include settle
--- @include place
local claim = redis.call('HMGET', KEYS[1], 'token', 'state', 'call_id')
if claim[1] ~= ARGV[1] or (claim[2] ~= 'ringing' and claim[2] ~= 'reaped') then
  return 0
end
redis.call('HSET', KEYS[1], 'state', 'returned')
if ARGV[2] == 'gone' then -- in a row: a talk, a resumed seat and a leader who signs in begin anew
  redis.call('HINCRBY', KEYS[2], 'gone', 1)
end
local still_free = redis.call('HGET', KEYS[2], 'state') == 'free'
if claim[2] == 'ringing' or (still_free and ARGV[3] == '1') then
  settle(KEYS[2], ARGV[3] == '1' and 'paused' or 'free', ARGV[3] == '1' and ARGV[2] or '', '', ARGV[4])
end
local behind = math.min(tonumber(ARGV[5]), redis.call('ZCARD', KEYS[3]) - 1)
if behind > 0 and redis.call('ZRANK', KEYS[3], claim[3]) == 0 then
  place(KEYS[3], claim[3], behind)
end
announce(ARGV[6], ARGV[7])
return 1
