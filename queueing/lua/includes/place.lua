-- Puts a caller of the line at rank `to` (from 0), in O(log n): a score between the neighbours' ones. Where joining times
-- left no room, those behind give way, as far as needed.
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
      score = before + 1
      local last, rank, giving_way = score, to, {}
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
    end
  elseif before then
    score = before + 1
  elseif after then
    score = after - 1024
  end
  redis.call('ZADD', waiting, string.format('%.0f', score), call)
end
