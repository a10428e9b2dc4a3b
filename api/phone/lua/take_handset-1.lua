-- Take a handset for an account, or keep the one it has: its own first, then the first that nobody holds.
-- KEYS  1 holders: hash, handset -> "<until> <account>"
-- ARGV  1 account   2 now   3 until when it is held (Unix seconds)   4.. handsets that may be taken
-- Returns the handset; empty when all of them are held by others.
local function holder(handset)
  local held = redis.call('HGET', KEYS[1], handset)
  if not held then
    return nil, 0
  end
  local till, account = string.match(held, '^(%S+) (.*)$')
  return account, tonumber(till)
end

local chosen = ''
for place = 4, #ARGV do
  local account, till = holder(ARGV[place])
  if account == ARGV[1] then
    chosen = ARGV[place]
    break
  end
  if chosen == '' and till <= tonumber(ARGV[2]) then
    chosen = ARGV[place]
  end
end
if chosen ~= '' then
  redis.call('HSET', KEYS[1], chosen, ARGV[3] .. ' ' .. ARGV[1])
end
return chosen
