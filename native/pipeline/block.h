/* Sealed events on their way to the disk, column by column; `tenure/pipeline/block.py` defines the columns. */
#ifndef TENURE_PIPELINE_BLOCK_H
#define TENURE_PIPELINE_BLOCK_H

#include "event.h"

enum numbers { MS, SEQ, TIME, EPOCH, KEY, COUNTER, NUMBERS };
enum texts { STREAM, TENANT, REST, SEALED, TEXTS };

struct block {
    int values;
    size_t rows, size;
    struct bytes numbers[NUMBERS], value[MAX_VALUES], ends[TEXTS], data[TEXTS], marks;
};

/* What the block needs to know of an event besides the event. */
struct row {
    uint64_t ms, seq, counter;
    int64_t time;
    uint32_t epoch, key;
};

int block_begin(struct block *block);
/* Add an event whose secret is not sealed yet: it lies open in its place, with room for the tag behind it. */
int block_append(struct block *block, const struct event *event, const struct plan *plan, const struct row *row);
/* Forget all rows from `rows` on. */
void block_cut(struct block *block, size_t rows);
/* (rows, numbers, values, ends, data, marks) as Python objects; the block is empty again. */
PyObject *block_take(struct block *block);
void block_free(struct block *block);

/* Where a row's text lies. */
struct word block_text(const struct block *block, enum texts column, size_t row);
/* What the tag of a row vouches for besides its secret (`tenure/pipeline/seal/record.py`). */
int block_bound(const struct block *block, size_t row, struct bytes *into);
/* Twelve bytes no other row under its key has. */
void block_nonce(const struct block *block, size_t row, unsigned char nonce[12]);

#endif
