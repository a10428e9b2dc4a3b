-- The score of who joins by the joining time, and whether nobody is behind.
local score = ARGV[4]
local is_last = redis.call('ZCOUNT', KEYS[1], score, '+inf') == 0
if not is_last then
  local same = redis.call('ZREVRANGEBYSCORE', KEYS[1], ARGV[5], score, 'WITHSCORES', 'LIMIT', 0, 1)
  if same[1] then
    score = string.format('%.0f', math.min(tonumber(same[2]) + 1, tonumber(ARGV[5])))
  end
end
