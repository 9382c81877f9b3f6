/* What one interpreter's copy of the runtime knows: its types, its settings, its books. Nothing is global. */
#ifndef TENURE_RUNTIME_H
#define TENURE_RUNTIME_H

#include "cell.h"

/* The names the C code looks up by: X(name). */
#define RUNTIME_NAMES(X)                                                                                               \
    X(release) X(kind) X(size) X(parent) X(via) X(shared) X(wait) X(timeout) X(close) X(set) X(first) X(check) X(passes) X(failed)          \
    X(depth) X(sample) X(refuse) X(strict) X(__name__)                                            \
    X(co_filename) X(co_name) X(ident) X(name)

typedef struct {
#define X(name) PyObject *name;
    RUNTIME_NAMES(X)
#undef X
} Names;

/* The Python objects of the runtime: X(C type, name). The module shows them to the collector. */
#define RUNTIME_OBJECTS(X)                                                                                             \
    X(PyTypeObject, Handle) X(PyTypeObject, Lease) X(PyTypeObject, Remains) X(PyTypeObject, Queue)                      \
    X(PyTypeObject, Buffer) X(PyTypeObject, ViewLease) X(PyObject, free_block)                                          \
    X(PyObject, queue) X(PyObject, hooks) X(PyObject, errors) X(PyObject, threading)                                    \
    X(PyTypeObject, Entry) X(PyObject, Counts) X(PyObject, states) X(PyObject, intern) X(PyObject, line_of)             \
    X(PyObject, unknown) X(PyObject, package)

enum { PARKED_LEASES = 8, SITE_DEPTH = 64 };

/* One known site: the frames it is known by, which the ``Site`` holds. */
typedef struct {
    PyObject *site;
    uint64_t hash;
    int depth;
    struct {
        PyCodeObject *code;
        int lasti;
    } frames[];
} Known;

typedef struct {
    Known **slots;
    size_t mask, used;
} Sites;

typedef struct {
    uint64_t opened, closed, detached, disowned, abandoned, open;
    int64_t size;
} Books;

struct Runtime {
    _Atomic(size_t) holders; /* the module and every cell */
    Lock lock;

    Cell *oldest, *newest;   /* the ledger */
    Books books;
    uintptr_t era;           /* begins with each fork; never 0 */
    Cell **buckets;          /* the index of claimed tokens */
    unsigned bucket_bits;
    size_t claimed;
    Sites sites;

    Cell *first, *last;      /* the queue */
    size_t length;
    PyThread_type_lock bell; /* held, unless rung and not yet heard */
    bool rung;
    int sleepers;

    _Atomic(int) depth, sample, refuse, strict, started;
    _Atomic(uint64_t) samples;

    PyObject *parked[PARKED_LEASES]; /* leases that can be used again */
    int parked_count;

    Names names;
#define X(type, name) type *name;
    RUNTIME_OBJECTS(X)
#undef X
};

extern struct PyModuleDef tenure_module;

Runtime *runtime_new(void);
void runtime_drop(Runtime *runtime);
Runtime *runtime_of_module(PyObject *module);
/* Take from the Python side what is needed from the first handle on: not when this module is imported, as what is needed
   may be what imports it. */
int runtime_import(Runtime *runtime);
/* Of a type or any subclass of it; NULL and an exception if it is none of ours. */
Runtime *runtime_of_type(PyTypeObject *type);

#endif
