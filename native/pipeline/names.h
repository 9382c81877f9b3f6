/* A table from names to whatever belongs to them; the names are copied, what belongs to them is the caller's. */
#ifndef TENURE_PIPELINE_NAMES_H
#define TENURE_PIPELINE_NAMES_H

#include "memory.h"

#if PY_VERSION_HEX >= 0x030E0000
#define hash_of(text, length) Py_HashBuffer((text), (Py_ssize_t)(length))
#else
#if PY_VERSION_HEX >= 0x030D0000
/* 3.13 still exports it, and has moved its declaration out of the public headers. */
PyAPI_FUNC(Py_hash_t) _Py_HashBytes(const void *, Py_ssize_t);
#endif
#define hash_of(text, length) _Py_HashBytes((text), (Py_ssize_t)(length))
#endif

struct name {
    Py_hash_t hash;
    struct word word;
    void *value;
};

struct names {
    struct name *slots;
    size_t used, size;
};

/* What belongs to the name, or NULL. */
void *names_find(const struct names *names, struct word word);
/* Add a name that is not there; 0, or -1 with MemoryError set. */
int names_add(struct names *names, struct word word, void *value);
/* Take every name out, giving what belonged to each to `drop`. */
void names_clear(struct names *names, void (*drop)(void *));

#endif
