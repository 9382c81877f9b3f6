/* The field whose distinct values are counted, read back out of sealed rows; `tenure/pipeline/recovery.py` defines it. */
#include "marks.h"

#include "block.h"
#include "libcrypto.h"
#include "names.h"

#define BUFFERS (NUMBERS + MAX_VALUES + 2 * TEXTS + 3)

/* What one call looks at; every buffer it holds is given back at its end. */
struct marks {
    struct libcrypto crypto;
    struct block block; /* its columns belong to the caller */
    struct bytes bound, plain;
    struct word counted;
    const unsigned char *key;
    const int64_t *rows;
    int64_t *out;
    size_t count;
    Py_buffer held[BUFFERS];
    int holds;
};

static Py_buffer *hold(struct marks *m, PyObject *object, int flags)
{
    Py_buffer *view = &m->held[m->holds];
    if (PyObject_GetBuffer(object, view, flags) < 0)
        return NULL;
    m->holds++;
    return view;
}

/* Columns of a frame into the block, each at least as long as its rows need. */
static int hold_columns(struct marks *m, PyObject *columns, struct bytes *into, int count, const size_t *least)
{
    if (!PyTuple_Check(columns) || PyTuple_GET_SIZE(columns) != count) {
        PyErr_Format(PyExc_ValueError, "%d columns are needed", count);
        return -1;
    }
    for (int i = 0; i < count; i++) {
        Py_buffer *view = hold(m, PyTuple_GET_ITEM(columns, i), PyBUF_SIMPLE);
        if (view == NULL)
            return -1;
        if (least != NULL && (size_t)view->len < least[i] * m->block.rows) {
            PyErr_SetString(PyExc_ValueError, "a column is shorter than the frame");
            return -1;
        }
        into[i].data = view->buf;
        into[i].length = (size_t)view->len;
    }
    return 0;
}

/* Whether the row is there, and its texts lie in their columns. */
static int row_fits(const struct block *b, int64_t row)
{
    if (row < 0 || (size_t)row >= b->rows)
        return 0;
    for (int i = 0; i < TEXTS; i++) {
        int32_t ends[2];
        memcpy(ends, b->ends[i].data + (size_t)row * sizeof *ends, sizeof ends);
        if (ends[0] < 0 || ends[1] < ends[0] || (size_t)ends[1] > b->data[i].length)
            return 0;
    }
    return 1;
}

/* The mark in packed names and values, if the counted field is among them. */
static int mark_in(const struct marks *m, struct word packed, int64_t *mark)
{
    struct word words[2];

    for (size_t at = 0, i = 0; at < packed.length; i++) {
        uint32_t length;
        if (packed.length - at < sizeof length)
            return -1;
        memcpy(&length, packed.text + at, sizeof length);
        at += sizeof length;
        if (packed.length - at < length)
            return -1;
        words[i % 2] = (struct word){packed.text + at, length};
        at += length;
        if (i % 2 == 1 && word_is(words[0], m->counted))
            *mark = hash_of(words[1].text, words[1].length);
    }
    return 0;
}

/* One row; 1 if its tag does not fit, -1 with an error set. */
static int mark_row(struct marks *m, size_t row, int64_t *mark)
{
    unsigned char nonce[NONCE_SIZE];
    struct word sealed = block_text(&m->block, SEALED, row);

    if (sealed.length < TAG_SIZE)
        return 1;
    size_t size = sealed.length - TAG_SIZE;
    m->plain.length = 0;
    if (block_bound(&m->block, row, &m->bound) < 0 || bytes_reserve(&m->plain, size + 1) < 0)
        return -1;
    block_nonce(&m->block, row, nonce);
    int refused = libcrypto_unseal(&m->crypto, nonce, &m->bound, sealed, (unsigned char *)m->plain.data);
    if (refused != 0)
        return refused;
    *mark = 0;
    if (mark_in(m, block_text(&m->block, REST, row), mark) == 0
        && mark_in(m, (struct word){m->plain.data, size}, mark) == 0)
        return 0;
    PyErr_SetString(PyExc_ValueError, "names and values are not packed as they should be");
    return -1;
}

/* All rows; how many were read, which is all of them unless one is refused. */
static PyObject *mark_rows(struct marks *m)
{
    size_t done = 0;
    int refused = libcrypto_use_to_open(&m->crypto, m->key);

    for (; refused == 0 && done < m->count; done++) {
        if (!row_fits(&m->block, m->rows[done])) {
            PyErr_SetString(PyExc_ValueError, "a row does not lie in its frame");
            refused = -1;
            break;
        }
        refused = mark_row(m, (size_t)m->rows[done], &m->out[done]);
        if (refused != 0)
            break;
    }
    if (m->plain.data != NULL)
        memset(m->plain.data, 0, m->plain.room);
    return libcrypto_forget(&m->crypto) < 0 || refused < 0 ? NULL : PyLong_FromSize_t(done);
}

static PyObject *hold_and_mark(struct marks *m, PyObject *args)
{
    static const size_t number_sizes[NUMBERS] = {8, 8, 8, 4, 4, 8}, value_sizes[MAX_VALUES] = {8, 8, 8, 8, 8, 8, 8, 8};
    PyObject *key, *counted, *numbers, *values, *ends, *data, *rows, *out;
    const char *library;
    Py_ssize_t height;

    if (!PyArg_ParseTuple(args, "sOSnOOOOOO", &library, &key, &counted, &height, &numbers, &values, &ends, &data,
                          &rows, &out))
        return NULL;
    if (height < 0 || !PyTuple_Check(values) || PyTuple_GET_SIZE(values) > MAX_VALUES) {
        PyErr_Format(PyExc_ValueError, "a frame has at most %d values", MAX_VALUES);
        return NULL;
    }
    m->block.rows = (size_t)height;
    m->block.values = (int)PyTuple_GET_SIZE(values);
    m->counted = (struct word){PyBytes_AS_STRING(counted), (size_t)PyBytes_GET_SIZE(counted)};
    if (hold_columns(m, numbers, m->block.numbers, NUMBERS, number_sizes) < 0
        || hold_columns(m, values, m->block.value, m->block.values, value_sizes) < 0
        || hold_columns(m, ends, m->block.ends, TEXTS, NULL) < 0
        || hold_columns(m, data, m->block.data, TEXTS, NULL) < 0)
        return NULL;
    for (int i = 0; i < TEXTS; i++)
        if (m->block.ends[i].length < (m->block.rows + 1) * sizeof(int32_t)) {
            PyErr_SetString(PyExc_ValueError, "a column is shorter than the frame");
            return NULL;
        }
    Py_buffer *secret = hold(m, key, PyBUF_SIMPLE), *chosen = secret ? hold(m, rows, PyBUF_SIMPLE) : NULL,
              *found = chosen ? hold(m, out, PyBUF_WRITABLE) : NULL;
    if (found == NULL)
        return NULL;
    if (secret->len != KEY_SIZE || chosen->len != found->len || chosen->len % 8 != 0) {
        PyErr_SetString(PyExc_ValueError, "a key of 32 bytes, and a mark for each row");
        return NULL;
    }
    m->key = secret->buf;
    m->rows = chosen->buf;
    m->out = found->buf;
    m->count = (size_t)chosen->len / 8;
    return libcrypto_open(&m->crypto, library) < 0 ? NULL : mark_rows(m);
}

PyObject *marks_read(PyObject *Py_UNUSED(module), PyObject *args)
{
    struct marks m = {0};
    PyObject *done = hold_and_mark(&m, args);

    while (m.holds > 0)
        PyBuffer_Release(&m.held[--m.holds]);
    bytes_free(&m.bound);
    bytes_free(&m.plain);
    libcrypto_close(&m.crypto);
    return done;
}
