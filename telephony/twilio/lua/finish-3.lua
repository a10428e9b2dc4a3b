-- An answer is about to be given. A webhook that was answered meanwhile, by another process, is answered the same.
-- KEYS: as `finish`
-- ARGV: as `finish`
-- Returns as `finish`, or the answer that was given before, as text.
--- @include finish
return redis.call('HGET', KEYS[2], ARGV[3]) or finish(KEYS, ARGV)
