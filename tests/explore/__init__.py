"""The protocol of a chat's turn in every order of events there is: `python -m tests.explore`.

What runs is the code of production: application.turns.Turns (its coroutine, advanced by hand),
application.react.React with application.moves, and the domain. Fakes stand for the ports only. What
surrounds them is a world of plain, hashable structs: the chat's row, its line, the queue, the tasks
of two workers, what Telegram and the model have seen.

    positions.py    where a task stands in the code of Turns, and how an answer takes it further
    commits.py      one item through React, against one chat: what is answered, what is saved
    world.py        the situation, and what makes two of them the same
    known.py        what a search has learnt so far: the tables behind a situation's numbers
    entries.py      the plan: which entries the chat's line may hold
    loading.py      what the store tells a task of the chat
    saving.py       what a commit changes in the world; messages.py: what it makes of a message
    tasks.py        what one task does next: commit, look at its lease, call, let go
    outcomes.py     what a call to Telegram or the model may bring
    workers.py      what workers do and suffer: dequeue, hand back, crash, stop, stall
    ghosts.py       which tasks need not be kept, and the proof of it
    people.py       what users and people do: write, refresh, retry, disable, delete a job
    rules.py        the rules that adapters keep to, and the mutants that break one of them
    search.py       breadth first through all situations; the shortest path to a violation
    recording.py    that path as a recording (DESIGN §9)

Two situations that differ by names only are one: epochs are told from the chat's (of now, or
stale), jobs have no numbers, the two workers may change places, and the clock knows "now" and "a
day later". What can make no difference is left out: tasks that hold neither job nor token
(ghosts.py), the moments between a dequeue and the Take of a job that is not the owner (workers.py),
and between a commit and the look at the lease that follows it (tasks.py). Whole of rules.py leaves
in the first two, for a test that compares.
"""
