/* RESP as a server reads it; `tenure/pipeline/resp.py` defines every answer given here. */
#ifndef TENURE_PIPELINE_RESP_H
#define TENURE_PIPELINE_RESP_H

#include "memory.h"

struct limits {
    size_t bulk, args, request;
    int strangers; /* they are those of who has not said the password */
};

/* The words of one request; the array is used again for the next. */
struct request {
    struct word *words;
    size_t count, room;
};

enum verdict { RESP_WHOLE, RESP_CUT, RESP_BROKEN, RESP_FAILED };

/* Read the request at `*at`. RESP_WHOLE: `*at` is behind it. RESP_CUT: `*needed` is how long the buffer must grow.
   RESP_BROKEN: `problem` (64 bytes) says why. RESP_FAILED: a Python error is set. */
enum verdict resp_next(struct request *request, const char *buffer, size_t length, size_t *at,
                       const struct limits *limits, size_t *needed, char *problem);

#endif
