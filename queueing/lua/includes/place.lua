-- Puts a caller of the line at rank `to` (from 0), in O(log n): a score between the neighbours' ones. Where no room is left
-- between them, the fewest behind who have enough of it together are spread over it, so that many moves to one place stay
-- quick; at the end of the line those behind give way as little as they can, because others join behind them by their time.
local function spread(waiting, before, to)
  local many = 4
  while many <= 1024 do
    local near = redis.call('ZRANGE', waiting, to, to + many, 'WITHSCORES')
    if #near < 2 * (many + 1) then
      return nil
    end
    local step = math.floor((tonumber(near[#near]) - before) / (many + 2)) -- the last one stays where it is
    if step >= 1024 then
      for one = 1, many do
        redis.call('ZADD', waiting, string.format('%.0f', before + step * (one + 1)), near[2 * one - 1])
      end
      return before + step
    end
    many = many * 2
  end
  return nil
end

local function give_way(waiting, before, to)
  local last, rank, giving_way = before + 1, to, {}
  while true do
    local behind = redis.call('ZRANGE', waiting, rank, rank, 'WITHSCORES')
    if not behind[1] or tonumber(behind[2]) > last then
      break
    end
    last, rank = last + 1, rank + 1
    giving_way[#giving_way + 1] = { last, behind[1] }
  end
  for _, one in ipairs(giving_way) do
    redis.call('ZADD', waiting, string.format('%.0f', one[1]), one[2])
  end
  return before + 1
end

local function place(waiting, call, to)
  local own = redis.call('ZSCORE', waiting, call)
  redis.call('ZREM', waiting, call)
  local near = redis.call('ZRANGE', waiting, math.max(to - 1, 0), to, 'WITHSCORES')
  local before, after = tonumber(near[2]), tonumber(near[4])
  if to == 0 then
    before, after = nil, before
  end
  local score = tonumber(own)
  if before and after then
    score = math.floor((before + after) / 2)
    if score <= before then
      score = spread(waiting, before, to) or give_way(waiting, before, to)
    end
  elseif before then
    score = before + 1
  elseif after then
    score = after - 1024
  end
  redis.call('ZADD', waiting, string.format('%.0f', score), call)
end
