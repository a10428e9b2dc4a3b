-- Saves a turn if nobody saved one since: the call, its commands, its wake-up, the index of live calls, in one step.
-- Whoever saves gets the right to perform a lane of commands, unless somebody is performing it (they take these too).
-- K: call, live, wakeups, outbox, performers, todo of lane line, todo of lane books
-- A: call_id, seq before ("" = nobody knows the call yet), seq after, JSON, id of this put, performer, now, performer's
--    lease until, wake-up ("" = as it is, "0" = none, else Unix seconds), seconds to keep an ended call ("0" = it lives),
--    second (for the guard on turns a second), started_at, number of line entries, entries of line, entries of books
-- Returns {saved, line, books}. saved: 2 = saved, 1 = saved before, 0 = somebody was faster, -1 = no such call.
--         line, books: 0 = not ours to perform, 1 = ours, exactly what we put, 2 = ours, and more was waiting before.
local function put(K, A)
  local call = redis.call('HMGET', K[1], 'seq', 'put', 'second')
  local members = { 'line:' .. A[1], 'books:' .. A[1] }
  if call[1] and call[2] == A[5] then -- the answer was lost
    local ours = {}
    for lane, member in ipairs(members) do
      ours[lane] = redis.call('HGET', K[5], member) == A[6] and 2 or 0
    end
    return { 1, ours[1], ours[2] }
  end
  if A[2] == '' then
    if call[1] then
      return { 0, 0, 0 }
    end
    redis.call('ZADD', K[2], A[12], A[1])
  elseif not call[1] then
    return { -1, 0, 0 }
  elseif call[1] ~= A[2] then
    return { 0, 0, 0 }
  end

  local fields = { 'call', A[4], 'seq', A[3], 'put', A[5], 'second', A[11] }
  if call[3] == A[11] then
    redis.call('HINCRBY', K[1], 'turns', 1)
  else
    fields[9], fields[10] = 'turns', 1
  end
  redis.call('HSET', K[1], unpack(fields))
  if A[10] ~= '0' then
    redis.call('ZREM', K[2], A[1])
    redis.call('ZREM', K[3], A[1])
    redis.call('EXPIRE', K[1], A[10])
  end
  if A[9] == '0' then
    redis.call('ZREM', K[3], A[1])
  elseif A[9] ~= '' then
    redis.call('ZADD', K[3], A[9], A[1])
  end

  local granted = { 0, 0 }
  local first_of_books = 14 + tonumber(A[13])
  local spans = { { 14, first_of_books - 1 }, { first_of_books, #A } }
  for lane, member in ipairs(members) do
    local from, to = spans[lane][1], spans[lane][2]
    if from <= to then
      local length = redis.call('RPUSH', K[5 + lane], unpack(A, from, to))
      local due = redis.call('ZSCORE', K[4], member)
      if not due or tonumber(due) <= tonumber(A[7]) then
        redis.call('ZADD', K[4], A[8], member)
        redis.call('HSET', K[5], member, A[6])
        granted[lane] = length == to - from + 1 and 1 or 2
      end
    end
  end
  return { 2, granted[1], granted[2] }
end
