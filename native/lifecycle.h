/* The life of a native resource as one small table, the same as ``tenure/lifecycle.py``; a test compares the two. */
#ifndef TENURE_LIFECYCLE_H
#define TENURE_LIFECYCLE_H

#include "versions.h"

typedef enum { OPEN, LEASED, CLOSING, ABANDONED, CLOSED, STATES } State;
typedef enum { LEASE, BACK, LAST_BACK, CLOSE, ABANDON, DISOWN, EVENTS } Event;
typedef enum { NONE, RELEASE, ENQUEUE, REPORT, REFUSE } Effect;

typedef struct {
    uint8_t state, effect;
} Arrow;

/* Every arrow; what follows it is all that decides, and what ``table()`` shows. */
static const Arrow ARROWS[STATES][EVENTS] = {
    [OPEN] = {
        [LEASE] = {LEASED, NONE},
        [BACK] = {OPEN, REFUSE},
        [LAST_BACK] = {OPEN, REFUSE},
        [CLOSE] = {CLOSED, RELEASE},
        [ABANDON] = {ABANDONED, ENQUEUE},
        [DISOWN] = {CLOSED, NONE},
    },
    [LEASED] = {
        [LEASE] = {LEASED, NONE},
        [BACK] = {LEASED, NONE},
        [LAST_BACK] = {OPEN, NONE},
        [CLOSE] = {CLOSING, NONE},
        [ABANDON] = {CLOSING, REPORT},
        [DISOWN] = {CLOSED, NONE},
    },
    [CLOSING] = {
        [LEASE] = {CLOSING, REFUSE},
        [BACK] = {CLOSING, NONE},
        [LAST_BACK] = {CLOSED, RELEASE},
        [CLOSE] = {CLOSING, NONE},
        [ABANDON] = {CLOSING, NONE},
        [DISOWN] = {CLOSED, NONE},
    },
    [ABANDONED] = {
        [LEASE] = {ABANDONED, REFUSE},
        [BACK] = {ABANDONED, REFUSE},
        [LAST_BACK] = {ABANDONED, REFUSE},
        [CLOSE] = {CLOSED, RELEASE},
        [ABANDON] = {ABANDONED, NONE},
        [DISOWN] = {CLOSED, NONE},
    },
    [CLOSED] = {
        [LEASE] = {CLOSED, REFUSE},
        [BACK] = {CLOSED, NONE},
        [LAST_BACK] = {CLOSED, NONE},
        [CLOSE] = {CLOSED, NONE},
        [ABANDON] = {CLOSED, NONE},
        [DISOWN] = {CLOSED, NONE},
    },
};

/* One word holds both where a resource stands and how many leases are out, so that one compare-and-swap moves both. */
typedef _Atomic(uint64_t) Word;

enum { STATE_BITS = 3 };

static inline State
state_in(uint64_t word)
{
    return (State)(word & ((1u << STATE_BITS) - 1));
}

static inline uint64_t
leases_in(uint64_t word)
{
    return word >> STATE_BITS;
}

static inline uint64_t
word_of(State state, uint64_t leases)
{
    return leases << STATE_BITS | (uint64_t)state;
}

/* What a lease given back is to a word that has ``leases`` out. */
static inline Event
back_in(uint64_t word)
{
    return leases_in(word) == 1 ? LAST_BACK : BACK;
}

/* Take the arrow of ``event`` (LEASE, CLOSE, ABANDON or DISOWN), and say what else is to be done. */
static inline Effect
follow(Word *word, Event event)
{
    uint64_t seen = atomic_load_explicit(word, memory_order_acquire);
    for (;;) {
        Arrow arrow = ARROWS[state_in(seen)][event];
        if (arrow.effect == REFUSE) {
            return REFUSE;
        }
        uint64_t next = word_of(arrow.state, leases_in(seen) + (event == LEASE));
        if (next == seen || atomic_compare_exchange_weak_explicit(word, &seen, next, memory_order_acq_rel,
                                                                  memory_order_acquire)) {
            return arrow.effect;
        }
    }
}

/* Give one lease back. If that would release and ``defer``, nothing is done but to say so: the lease is still out. */
static inline Effect
follow_back(Word *word, bool defer)
{
    uint64_t seen = atomic_load_explicit(word, memory_order_acquire);
    for (;;) {
        Arrow arrow = ARROWS[state_in(seen)][back_in(seen)];
        if (arrow.effect == REFUSE || (arrow.effect == RELEASE && defer)) {
            return arrow.effect;
        }
        uint64_t next = word_of(arrow.state, leases_in(seen) - 1);
        if (atomic_compare_exchange_weak_explicit(word, &seen, next, memory_order_acq_rel, memory_order_acquire)) {
            return arrow.effect;
        }
    }
}

PyObject *lifecycle_table(PyObject *module, PyObject *ignored);

#endif
