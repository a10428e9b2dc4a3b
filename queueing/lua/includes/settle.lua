-- Where a seat goes when its claim is over (`fate`): as wished, unless it is to close or to pause. Whose claim it was stays
-- known. until_at and now are text.
local function settle(seat, fate, wished, reason, until_at, now)
  local flags = redis.call('HMGET', seat, 'closing', 'pause_after')
  if flags[1] then
    wished, reason, until_at = 'closed', '', ''
  elseif flags[2] and wished ~= 'paused' then
    wished, reason, until_at = 'paused', flags[2], ''
  end
  redis.call('HDEL', seat, 'closing', 'pause_after')
  redis.call('HSET', seat, 'state', wished, 'reason', reason, 'until', until_at, 'since', now, 'fate', fate)
end
