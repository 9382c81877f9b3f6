/* An event out of the words of one XADD; `tenure/pipeline/event.py` defines what is read and what is refused. */
#ifndef TENURE_PIPELINE_EVENT_H
#define TENURE_PIPELINE_EVENT_H

#include "memory.h"

#define MAX_VALUES 8
#define MAX_NAME 512
#define LATEST 253402300799999LL

enum meaning { IS_TENANT, IS_TIME, IS_VALUE, IS_SECRET };

/* The names that mean something. */
struct plan {
    struct meant {
        struct word name;
        enum meaning meaning;
        int place;
    } *meant;
    size_t count;
    int values;
    struct word counted;
    PyObject *owner; /* keeps the names' bytes alive */
};

/* Why an event is refused; each stands for a reply that Python wrote. The names are those of `event.REFUSALS`. */
enum refusal {
    TAKEN = -1,
    WRONG_COUNT,
    BAD_ID,
    ZERO_ID,
    SMALL_ID,
    NO_MORE_IDS,
    BAD_SYNTAX,
    BAD_COUNT,
    GIVEN_TWICE,
    BAD_TIME,
    TIME_AHEAD,
    NO_TENANT,
    LONG_STREAM,
    LONG_TENANT,
    BAD_STREAM,
    BAD_TENANT,
    MANY_STREAMS,
    REFUSALS, /* and behind it one for each value field */
};

struct id {
    int has_ms, has_seq;
    uint64_t ms, seq;
};

struct event {
    struct word stream, tenant;
    struct id id;
    int has_time;
    int64_t time;
    double values[MAX_VALUES];
    int64_t mark;
    /* Whether it may be the first of its stream. */
    int begins;
    /* Sizes of the packed fields, known before they are written. */
    size_t rest, secret;
    /* The words of the fields, names and values in turn. */
    const struct word *fields;
    size_t count;
};

/* A refusal, or TAKEN. */
int event_read(struct event *event, const struct word *words, size_t count, const struct plan *plan);
/* Write the fields that are secret, or those that mean nothing, packed; there is room. */
void event_pack(const struct event *event, const struct plan *plan, int secret, struct bytes *into);
/* The id the event gets behind `ms`-`seq`; a refusal, or TAKEN. */
int id_after(const struct id *id, uint64_t *ms, uint64_t *seq, uint64_t now);

#endif
