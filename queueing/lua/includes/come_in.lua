-- What a join answers without doing anything: the position, with a minus, of a caller who is there already; 0 when something newer
-- is known of this call and it is not in the line. nil when it is to come in.
local function known_of(waiting, seen, call, at_seq)
  if redis.call('HSETNX', seen, call, at_seq) == 0 then -- of whom nothing is known does not wait here
    local rank = redis.call('ZRANK', waiting, call)
    if tonumber(at_seq) <= tonumber(redis.call('HGET', seen, call)) then
      return rank and -rank - 1 or 0
    end
    redis.call('HSET', seen, call, at_seq)
    if rank then
      return -rank - 1
    end
  end
  return nil
end

-- The score of who joins by a joining time, between its first and last one, and whether nobody is behind.
local function by_time(waiting, first, last)
  local is_last = redis.call('ZCOUNT', waiting, first, '+inf') == 0
  if not is_last then
    local same = redis.call('ZREVRANGEBYSCORE', waiting, last, first, 'WITHSCORES', 'LIMIT', 0, 1)
    if same[1] then
      return string.format('%.0f', math.min(tonumber(same[2]) + 1, tonumber(last))), is_last
    end
  end
  return first, is_last
end

-- What is known of a caller who has come in, apart from the order. K: the keys of a join, argv: its arguments.
local function tell_of(K, argv, position)
  redis.call('HSET', K[2], argv[1], argv[3])
  if argv[9] ~= '' then
    redis.call('HSET', K[4], argv[1], argv[9])
    redis.call('EXPIRE', K[4], argv[6])
  end
  redis.call('PUBLISH', argv[7], argv[8])
  if position == 1 then -- what is known is forgotten so long after the line was last empty
    redis.call('EXPIRE', K[3], argv[6])
  end
  return position
end
