"""`make bench`: how fast the hotline is, side by side with Asterisk's own app_queue and dialplan, in one run on one machine.

    python -m bench                 everything, about 40 minutes; written to bench/RESULTS.md chapter by chapter
    QUICK=1 python -m bench         the same with few samples, about 8 minutes; printed only
    python -m bench turns lines     some chapters only; the others in RESULTS.md stay as they are

Chapters: `handovers` (leader hangs up -> the next caller rings), `answers` (answer -> sound, key -> next prompt), `load`
(10 calls/s, highest rate, CPU a call), `holding` (500 callers on hold), `turns` (flow and store), `lines` (the waiting
line in Redis), `webhooks` (cloud phone), `fanout` (a change of the line to 200 and 500 open boards and to 200 desks), `paint`
(first paint of the console's pages in Chromium), both against a bare server; `takeovers` (a bridge dies or stops, the other
drives).

Both sides: the same Asterisk program with the same modules, prompts, hold music and recording of talks; the same callers and
leader by sipp. Ours is a whole installation (Asterisk, bridge, api, worker, cron, Redis with every write on disk); the other
side is Asterisk alone with `native/`: app_queue as fast as it can be set up. Timing is never a test: `tests/unit/bench`
checks the measuring only.
"""
