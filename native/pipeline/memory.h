/* Memory that grows: one kind of buffer for every column, reply and scratch space. */
#ifndef TENURE_PIPELINE_MEMORY_H
#define TENURE_PIPELINE_MEMORY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdint.h>
#include <string.h>

/* A piece of what somebody said; it belongs to whoever said it. */
struct word {
    const char *text;
    size_t length;
};

struct bytes {
    char *data;
    size_t length, room;
};

/* Make room for `more` bytes behind what is there; 0, or -1 with MemoryError set. */
static inline int bytes_reserve(struct bytes *b, size_t more)
{
    if (b->room - b->length >= more)
        return 0;
    size_t room = b->room ? b->room : 256;
    while (room - b->length < more)
        room *= 2;
    char *data = PyMem_Realloc(b->data, room);
    if (data == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    b->data = data;
    b->room = room;
    return 0;
}

/* The room must have been reserved. No bytes at all may come from nowhere, or go there, where memcpy may not. */
static inline void bytes_put(struct bytes *b, const void *data, size_t length)
{
    if (length > 0)
        memcpy(b->data + b->length, data, length);
    b->length += length;
}

static inline int bytes_add(struct bytes *b, const void *data, size_t length)
{
    if (bytes_reserve(b, length) < 0)
        return -1;
    bytes_put(b, data, length);
    return 0;
}

static inline void bytes_free(struct bytes *b)
{
    PyMem_Free(b->data);
    memset(b, 0, sizeof *b);
}

static inline PyObject *bytes_taken(struct bytes *b)
{
    PyObject *taken = PyBytes_FromStringAndSize(b->data, (Py_ssize_t)b->length);
    if (taken != NULL)
        b->length = 0;
    return taken;
}

static inline int word_is(struct word w, struct word other)
{
    return w.length == other.length && memcmp(w.text, other.text, w.length) == 0;
}

#endif
