/* The keys of the tenants, and the sealing of what waits for them: one lease for each key and batch. */
#ifndef TENURE_PIPELINE_KEYS_H
#define TENURE_PIPELINE_KEYS_H

#include "block.h"
#include "libcrypto.h"
#include "names.h"

/* One tenant's key. Invariant: this table alone counts with it, so no counter is used twice under it. */
struct key {
    PyObject *secret; /* a tenure.SecretBuffer */
    uint32_t epoch, serial;
    uint64_t used;
    /* The rows of the block that wait to be sealed under it, and the next key with such rows. */
    size_t first, last;
    struct key *next;
};

struct keys {
    struct libcrypto crypto;
    struct names table;
    PyObject *keyring, *word_lease, *word_enter, *word_exit;
    uint64_t records, most;
    unsigned long long seal_ns; /* spent leasing keys and sealing */
    /* Keys with rows that wait, and for each row from `from` on the next one under the same key. */
    struct key *waiting;
    size_t from;
    struct bytes chain, bound;
};

/* 0, or -1 with an error set. */
int keys_begin(struct keys *keys);
/* The tenant's key, a new one if it has none or the old one is used up; NULL with an error set. Seals what waits
   before keys are closed. */
struct key *keys_for(struct keys *keys, struct block *block, struct word tenant);
/* Put the block's newest row, which lies open, among those that wait. */
int keys_wait(struct keys *keys, const struct block *block, struct key *key);
/* Seal every row that waits. On failure no row is sealed that was not before, and an error is set. */
int keys_seal(struct keys *keys, struct block *block);
/* Nothing waits any more. */
void keys_forget_rows(struct keys *keys, const struct block *block);
/* Close every key and begin a new epoch. */
int keys_rotate(struct keys *keys);
void keys_free(struct keys *keys);

#endif
