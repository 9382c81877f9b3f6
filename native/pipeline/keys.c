#include "keys.h"

#include <time.h>

#define NONE SIZE_MAX

static void drop(void *value)
{
    struct key *key = value;
    Py_XDECREF(key->secret);
    PyMem_Free(key);
}

static int number_of(PyObject *object, const char *name, uint32_t *into)
{
    PyObject *number = PyObject_GetAttrString(object, name);
    if (number == NULL)
        return -1;
    *into = (uint32_t)PyLong_AsUnsignedLongMask(number);
    Py_DECREF(number);
    return PyErr_Occurred() ? -1 : 0;
}

/* Ask the keyring for a key nothing was ever sealed under, instead of the one that is there, if one is. */
static int issue(struct keys *keys, struct word tenant, struct key *key)
{
    PyObject *issued =
        PyObject_CallMethod(keys->keyring, "issue", "y#I", tenant.text, (Py_ssize_t)tenant.length, key->serial);
    if (issued == NULL)
        return -1;
    Py_XSETREF(key->secret, PyObject_GetAttrString(issued, "secret"));
    key->used = 0;
    int failed = key->secret == NULL || number_of(issued, "epoch", &key->epoch) < 0
                 || number_of(issued, "serial", &key->serial) < 0;
    Py_DECREF(issued);
    return failed ? -1 : 0;
}

int keys_begin(struct keys *keys)
{
    keys->word_lease = PyUnicode_InternFromString("lease");
    keys->word_enter = PyUnicode_InternFromString("__enter__");
    keys->word_exit = PyUnicode_InternFromString("__exit__");
    return keys->word_lease && keys->word_enter && keys->word_exit ? 0 : -1;
}

struct key *keys_for(struct keys *keys, struct block *block, struct word tenant)
{
    struct key *key = names_find(&keys->table, tenant);

    if (key != NULL && key->used < keys->records)
        return key;
    /* A key that is replaced, and every key when the table is full: what waits for them goes first. */
    if (keys_seal(keys, block) < 0)
        return NULL;
    if (key != NULL)
        return issue(keys, tenant, key) < 0 ? NULL : key;
    if (keys->table.used >= keys->most && keys_rotate(keys) < 0)
        return NULL;
    key = PyMem_Calloc(1, sizeof *key);
    if (key == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    key->first = NONE;
    if (issue(keys, tenant, key) < 0 || names_add(&keys->table, tenant, key) < 0) {
        drop(key);
        return NULL;
    }
    return key;
}

static size_t *chained(struct keys *keys, size_t row)
{
    return (size_t *)(void *)keys->chain.data + (row - keys->from);
}

int keys_wait(struct keys *keys, const struct block *block, struct key *key)
{
    size_t row = block->rows - 1, none = NONE;

    if (bytes_add(&keys->chain, &none, sizeof none) < 0)
        return -1;
    if (key->first == NONE) {
        key->first = row;
        key->next = keys->waiting;
        keys->waiting = key;
    } else {
        *chained(keys, key->last) = row;
    }
    key->last = row;
    return 0;
}

/* Seal every row of one key, under a lease the caller holds. */
static int seal_rows(struct keys *keys, struct block *block, struct key *key, const Py_buffer *view)
{
    unsigned char nonce[NONCE_SIZE];

    if (view->len != KEY_SIZE) {
        PyErr_Format(PyExc_ValueError, "a key has %d bytes, this one has %zd", KEY_SIZE, view->len);
        return -1;
    }
    const unsigned char *fresh = view->buf;
    for (size_t row = key->first; row != NONE; row = *chained(keys, row), fresh = NULL) {
        struct word sealed = block_text(block, SEALED, row);
        block_nonce(block, row, nonce);
        if (block_bound(block, row, &keys->bound) < 0
            || libcrypto_seal(&keys->crypto, fresh, nonce, &keys->bound, (unsigned char *)sealed.text,
                              sealed.length - TAG_SIZE) < 0)
            return -1;
    }
    return 0;
}

/* Seal under a lease that a block would hold; for a secret that C cannot see by itself. The error of the first step
   that fails is the one that is set. */
static int seal_in_block(struct keys *keys, struct block *block, struct key *key)
{
    Py_buffer view;
    int failed = -1;
    PyObject *lease = PyObject_CallMethodNoArgs(key->secret, keys->word_lease);
    PyObject *entered = lease ? PyObject_CallMethodNoArgs(lease, keys->word_enter) : NULL;

    if (entered == NULL) {
        Py_XDECREF(lease);
        return -1;
    }
    if (PyObject_GetBuffer(entered, &view, PyBUF_SIMPLE) == 0) {
        failed = seal_rows(keys, block, key, &view);
        PyBuffer_Release(&view);
    }
    Py_DECREF(entered);
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    PyObject *nothing[] = {lease, Py_None, Py_None, Py_None};
    PyObject *left = PyObject_VectorcallMethod(keys->word_exit, nothing, 4, NULL);
    if (left == NULL && type == NULL)
        failed = -1;
    else
        PyErr_Restore(type, value, trace);
    Py_XDECREF(left);
    Py_DECREF(lease);
    return failed;
}

/* Lease the key, seal, give it back. An exported buffer is a lease, and the cheapest there is. */
static int seal_leased(struct keys *keys, struct block *block, struct key *key)
{
    Py_buffer view;

    if (!PyObject_CheckBuffer(key->secret))
        return seal_in_block(keys, block, key);
    if (PyObject_GetBuffer(key->secret, &view, PyBUF_SIMPLE) < 0)
        return -1;
    int failed = seal_rows(keys, block, key, &view);
    PyBuffer_Release(&view);
    return failed;
}

static unsigned long long nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (unsigned long long)now.tv_sec * 1000000000ULL + (unsigned long long)now.tv_nsec;
}

int keys_seal(struct keys *keys, struct block *block)
{
    if (keys->waiting == NULL)
        return 0;
    unsigned long long began = nanoseconds();
    while (keys->waiting != NULL) {
        struct key *key = keys->waiting;
        if (seal_leased(keys, block, key) < 0)
            return -1;
        keys->waiting = key->next;
        key->first = NONE;
    }
    keys->chain.length = 0;
    keys->from = block->rows;
    int failed = libcrypto_forget(&keys->crypto);
    keys->seal_ns += nanoseconds() - began;
    return failed;
}

void keys_forget_rows(struct keys *keys, const struct block *block)
{
    for (; keys->waiting != NULL; keys->waiting = keys->waiting->next)
        keys->waiting->first = NONE;
    keys->chain.length = 0;
    keys->from = block->rows;
}

int keys_rotate(struct keys *keys)
{
    names_clear(&keys->table, drop);
    PyObject *done = PyObject_CallMethod(keys->keyring, "rotate", NULL);
    Py_XDECREF(done);
    return done == NULL ? -1 : 0;
}

void keys_free(struct keys *keys)
{
    names_clear(&keys->table, drop);
    bytes_free(&keys->chain);
    bytes_free(&keys->bound);
    libcrypto_close(&keys->crypto);
    Py_CLEAR(keys->keyring);
    Py_CLEAR(keys->word_lease);
    Py_CLEAR(keys->word_enter);
    Py_CLEAR(keys->word_exit);
}
