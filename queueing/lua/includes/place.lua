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
      local floor, rank = score, to
      while true do
        local next = redis.call('ZRANGE', waiting, rank, rank, 'WITHSCORES')
        if not next[1] or tonumber(next[2]) > floor then
          break
        end
        floor = floor + 1
        redis.call('ZADD', waiting, string.format('%.0f', floor), next[1])
        rank = rank + 1
      end
    end
  elseif before then
    score = before + 1
  elseif after then
    score = after - 1024
  end
  redis.call('ZADD', waiting, string.format('%.0f', score), call)
end
