/* The intake as C sees it: what one is made of, and what of it Python calls. */
#ifndef TENURE_PIPELINE_INTAKE_H
#define TENURE_PIPELINE_INTAKE_H

#include "keys.h"
#include "resp.h"

/* The end of a stream. */
struct tail {
    uint64_t ms, seq, length;
};

struct intake {
    PyObject_HEAD
    struct plan plan;
    struct limits limits, strangers;
    struct keys keys;
    struct names streams;
    struct block block;
    struct request request;
    struct bytes replies;
    PyObject *clock, *answer, *refusals, *refusal;
    size_t most_streams;
    unsigned long long sealed, sealed_bytes, requests, protocol_errors;
    uint64_t now, ahead;
    int asked, busy;
};

/* The names of what a conversation is asked; 0, or -1 with an error set. */
int conversation_begin(void);
PyObject *intake_feed(struct intake *self, PyObject *const *args, Py_ssize_t count);
/* Remember the end of a stream that is not in the table; 0, or -1 with an error set. */
int intake_keep_tail(struct intake *self, struct word stream, const struct tail *tail);

#endif
