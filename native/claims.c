/* The index of claimed tokens, by which a second owner is noticed: chains through the cells, so that neither claiming nor
   giving up allocates. */
#include "claims.h"

enum { FIRST_BUCKETS = 6 /* bits */ };

static Cell **
bucket_of(const Runtime *runtime, uint64_t hash)
{
    /* Addresses and file descriptors differ in few bits; the product spreads them over the top ones. */
    return &runtime->buckets[(hash * UINT64_C(0x9E3779B97F4A7C15)) >> (64 - runtime->bucket_bits)];
}

static void
move_chain(Runtime *runtime, Cell *cell)
{
    while (cell != NULL) {
        Cell *next = cell->chained, **bucket = bucket_of(runtime, cell->hash);
        cell->chained = *bucket;
        *bucket = cell;
        cell = next;
    }
}

/* Swap in the larger table, if another thread has not been faster; the answer is the one that is not needed. */
static Cell **
install_buckets(Runtime *runtime, Cell **fresh, unsigned bits)
{
    if (runtime->buckets != NULL && runtime->bucket_bits >= bits) {
        return fresh;
    }
    Cell **old = runtime->buckets;
    size_t count = old == NULL ? 0 : (size_t)1 << runtime->bucket_bits;
    runtime->buckets = fresh;
    runtime->bucket_bits = bits;
    for (size_t at = 0; at < count; at++) {
        move_chain(runtime, old[at]);
    }
    return old;
}

void
claims_reserve(Runtime *runtime)
{
    LOCK(runtime);
    unsigned bits = runtime->buckets == NULL ? FIRST_BUCKETS
                    : runtime->claimed >> runtime->bucket_bits != 0 ? runtime->bucket_bits + 1
                                                                    : 0;
    UNLOCK(runtime);
    if (bits == 0) {
        return;
    }
    Cell **fresh = PyMem_RawCalloc((size_t)1 << bits, sizeof(Cell *));
    if (fresh == NULL) {
        return; /* Longer chains do, as long as there are any buckets; see claims_make. */
    }
    LOCK(runtime);
    fresh = install_buckets(runtime, fresh, bits);
    UNLOCK(runtime);
    PyMem_RawFree(fresh);
}

void
claims_give_up(Cell *cell)
{
    if (!cell->claimed) {
        return;
    }
    Cell **link = bucket_of(cell->runtime, cell->hash);
    while (*link != cell) {
        link = &(*link)->chained;
    }
    *link = cell->chained;
    cell->chained = NULL;
    cell->claimed = false;
    cell->runtime->claimed--;
}

/* Whether two tokens of equal hash are certainly the same, without running any code. With the lock held. */
static bool
plainly_same(PyObject *one, PyObject *other)
{
    return one == other ||
           (PyLong_CheckExact(one) && PyLong_CheckExact(other) && PyObject_RichCompareBool(one, other, Py_EQ) == 1);
}

/* Claim for ``cell``, or find the claimed cell of the same hash, which is then held. With the lock held. */
static Cell *
claim_or_find(Cell *cell, uint64_t hash, bool *certain)
{
    Runtime *runtime = cell->runtime;
    Cell **bucket = bucket_of(runtime, hash), *other = *bucket;
    while (other != NULL && other->hash != hash) {
        other = other->chained;
    }
    if (other != NULL) {
        *certain = plainly_same(cell->token, other->token);
        cell_hold(other);
        return other;
    }
    cell->hash = hash;
    cell->chained = *bucket;
    *bucket = cell;
    cell->claimed = true;
    runtime->claimed++;
    return NULL;
}

/* Whether the tokens are equal and would be released in the same way. May run their code. */
static int
same_resource(Cell *cell, PyObject *token, Cell *other, bool certain)
{
    LOCK(cell->runtime);
    bool held = other->listed;
    PyObject *theirs = held ? Py_NewRef(other->token) : NULL;
    UNLOCK(cell->runtime);
    if (!held) {
        return 0;
    }
    int same = certain ? 1 : PyObject_RichCompareBool(token, theirs, Py_EQ);
    Py_DECREF(theirs);
    return same == 1 ? PyObject_RichCompareBool(other->release, cell->release, Py_EQ) : same;
}

int
claims_make(Cell *cell, PyObject *token, Cell **other)
{
    Py_hash_t hash = PyObject_Hash(token);
    if (hash == -1) {
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) {
            return -1;
        }
        PyErr_Clear(); /* Nothing to look it up by. */
        return 0;
    }
    bool certain = false;
    LOCK(cell->runtime);
    Cell *found = cell->runtime->buckets == NULL || !cell->listed ? NULL : claim_or_find(cell, (uint64_t)hash, &certain);
    UNLOCK(cell->runtime);
    if (found == NULL) {
        return 0;
    }
    int same = same_resource(cell, token, found, certain);
    if (same == 1) {
        *other = found;
    }
    else {
        cell_drop(found);
    }
    return same;
}
