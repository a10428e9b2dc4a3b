-- Saves a turn if nobody saved one since: the call, its commands, its wake-up, the index of live calls, in one step.
-- Whoever saves gets the right to perform a lane of commands, unless somebody is performing it (they take these too).
-- KEYS: call, live, wakeups, outbox, performers, todo of lane line, todo of lane books
-- ARGV: call_id, seq before, seq after, JSON, id of this put, performer, now, performer's lease until,
--       wake-up ("" = as it is, "0" = none, else Unix seconds), seconds to keep an ended call ("0" = it lives),
--       second (for the guard on turns a second), channel, number of line entries, entries of line, entries of books
-- Returns {saved, line, books}. saved: 1, 0 = somebody was faster, -1 = no such call.
--         line, books: 0 = not ours to perform, 1 = ours, exactly what we put, 2 = ours, and more was waiting before.
local call = redis.call('HMGET', KEYS[1], 'seq', 'put', 'second')
if not call[1] then
  return { -1, 0, 0 }
end
local members = { 'line:' .. ARGV[1], 'books:' .. ARGV[1] }
if call[2] == ARGV[5] then -- saved before, the answer was lost
  local ours = {}
  for lane, member in ipairs(members) do
    ours[lane] = redis.call('HGET', KEYS[5], member) == ARGV[6] and 2 or 0
  end
  return { 1, ours[1], ours[2] }
end
if call[1] ~= ARGV[2] then
  return { 0, 0, 0 }
end

redis.call('HSET', KEYS[1], 'call', ARGV[4], 'seq', ARGV[3], 'put', ARGV[5], 'second', ARGV[11])
if call[3] == ARGV[11] then
  redis.call('HINCRBY', KEYS[1], 'turns', 1)
else
  redis.call('HSET', KEYS[1], 'turns', 1)
end
if ARGV[10] ~= '0' then
  redis.call('ZREM', KEYS[2], ARGV[1])
  redis.call('ZREM', KEYS[3], ARGV[1])
  redis.call('EXPIRE', KEYS[1], ARGV[10])
end
if ARGV[9] == '0' then
  redis.call('ZREM', KEYS[3], ARGV[1])
elseif ARGV[9] ~= '' then
  redis.call('ZADD', KEYS[3], ARGV[9], ARGV[1])
end

local granted = { 0, 0 }
local first_of_books = 14 + tonumber(ARGV[13])
local spans = { { 14, first_of_books - 1 }, { first_of_books, #ARGV } }
for lane, member in ipairs(members) do
  local from, to = spans[lane][1], spans[lane][2]
  if from <= to then
    local length = redis.call('RPUSH', KEYS[5 + lane], unpack(ARGV, from, to))
    local due = redis.call('ZSCORE', KEYS[4], member)
    if not due or tonumber(due) <= tonumber(ARGV[7]) then
      redis.call('ZADD', KEYS[4], ARGV[8], member)
      redis.call('HSET', KEYS[5], member, ARGV[6])
      granted[lane] = length == to - from + 1 and 1 or 2
    end
  end
end
redis.call('PUBLISH', ARGV[12], cjson.encode({ kind = 'call', id = ARGV[1], seq = tonumber(ARGV[3]) }))
return { 1, granted[1], granted[2] }
