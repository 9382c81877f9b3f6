#include "block.h"

#if PY_BIG_ENDIAN
#error "the columns are little endian, and are written as the machine has them"
#endif

static const size_t widths[NUMBERS] = {8, 8, 8, 4, 4, 8};

int block_begin(struct block *b)
{
    int32_t zero = 0;
    for (int i = 0; i < TEXTS; i++)
        if (b->ends[i].length == 0 && bytes_add(&b->ends[i], &zero, sizeof zero) < 0)
            return -1;
    return 0;
}

static int32_t end_of(const struct block *b, int column, size_t row)
{
    int32_t end;
    memcpy(&end, b->ends[column].data + row * sizeof end, sizeof end);
    return end;
}

static int reserve(struct block *b, const size_t sizes[TEXTS])
{
    for (int i = 0; i < NUMBERS; i++)
        if (bytes_reserve(&b->numbers[i], widths[i]) < 0)
            return -1;
    for (int i = 0; i < b->values; i++)
        if (bytes_reserve(&b->value[i], sizeof(double)) < 0)
            return -1;
    for (int i = 0; i < TEXTS; i++)
        if (bytes_reserve(&b->ends[i], sizeof(int32_t)) < 0 || bytes_reserve(&b->data[i], sizes[i]) < 0)
            return -1;
    return bytes_reserve(&b->marks, sizeof(int64_t));
}

int block_append(struct block *b, const struct event *e, const struct plan *plan, const struct row *row)
{
    const size_t sizes[TEXTS] = {e->stream.length, e->tenant.length, e->rest, e->secret + 16};

    for (int i = 0; i < TEXTS; i++)
        if (b->data[i].length + sizes[i] > INT32_MAX) {
            PyErr_SetString(PyExc_OverflowError, "the block is full; it should have been taken before");
            return -1;
        }
    if (reserve(b, sizes) < 0)
        return -1;
    bytes_put(&b->numbers[MS], &row->ms, 8);
    bytes_put(&b->numbers[SEQ], &row->seq, 8);
    bytes_put(&b->numbers[TIME], &row->time, 8);
    bytes_put(&b->numbers[EPOCH], &row->epoch, 4);
    bytes_put(&b->numbers[KEY], &row->key, 4);
    bytes_put(&b->numbers[COUNTER], &row->counter, 8);
    for (int i = 0; i < b->values; i++)
        bytes_put(&b->value[i], &e->values[i], sizeof(double));
    bytes_put(&b->data[STREAM], e->stream.text, e->stream.length);
    bytes_put(&b->data[TENANT], e->tenant.text, e->tenant.length);
    event_pack(e, plan, 0, &b->data[REST]);
    event_pack(e, plan, 1, &b->data[SEALED]);
    memset(b->data[SEALED].data + b->data[SEALED].length, 0, 16);
    b->data[SEALED].length += 16;
    for (int i = 0; i < TEXTS; i++) {
        int32_t end = (int32_t)b->data[i].length;
        bytes_put(&b->ends[i], &end, sizeof end);
        b->size += sizes[i];
    }
    b->size += 80;
    bytes_put(&b->marks, &e->mark, sizeof e->mark);
    b->rows++;
    return 0;
}

void block_cut(struct block *b, size_t rows)
{
    b->rows = rows;
    for (int i = 0; i < NUMBERS; i++)
        b->numbers[i].length = rows * widths[i];
    for (int i = 0; i < b->values; i++)
        b->value[i].length = rows * sizeof(double);
    for (int i = 0; i < TEXTS; i++) {
        b->data[i].length = (size_t)end_of(b, i, rows);
        b->ends[i].length = (rows + 1) * sizeof(int32_t);
    }
    b->marks.length = rows * sizeof(int64_t);
}

static PyObject *taken(struct bytes *columns, int count)
{
    PyObject *list = PyList_New(count);
    for (int i = 0; list != NULL && i < count; i++) {
        PyObject *column = bytes_taken(&columns[i]);
        if (column == NULL)
            Py_CLEAR(list);
        else
            PyList_SET_ITEM(list, i, column);
    }
    return list;
}

PyObject *block_take(struct block *b)
{
    Py_ssize_t rows = (Py_ssize_t)b->rows;
    PyObject *numbers = taken(b->numbers, NUMBERS), *values = taken(b->value, b->values),
             *ends = taken(b->ends, TEXTS), *data = taken(b->data, TEXTS), *marks = bytes_taken(&b->marks);

    b->rows = b->size = 0;
    if (block_begin(b) < 0 || !numbers || !values || !ends || !data || !marks) {
        Py_XDECREF(numbers);
        Py_XDECREF(values);
        Py_XDECREF(ends);
        Py_XDECREF(data);
        Py_XDECREF(marks);
        return NULL;
    }
    return Py_BuildValue("(nNNNNN)", rows, numbers, values, ends, data, marks);
}

void block_free(struct block *b)
{
    for (int i = 0; i < NUMBERS; i++)
        bytes_free(&b->numbers[i]);
    for (int i = 0; i < MAX_VALUES; i++)
        bytes_free(&b->value[i]);
    for (int i = 0; i < TEXTS; i++) {
        bytes_free(&b->ends[i]);
        bytes_free(&b->data[i]);
    }
    bytes_free(&b->marks);
}

struct word block_text(const struct block *b, enum texts column, size_t row)
{
    int32_t from = end_of(b, column, row), to = end_of(b, column, row + 1);
    return (struct word){b->data[column].data + from, (size_t)(to - from)};
}

static int add_named(struct bytes *into, struct word w)
{
    uint32_t length = (uint32_t)w.length;
    return bytes_add(into, &length, sizeof length) < 0 ? -1 : bytes_add(into, w.text, w.length);
}

int block_bound(const struct block *b, size_t row, struct bytes *into)
{
    struct word rest = block_text(b, REST, row);

    into->length = 0;
    if (add_named(into, block_text(b, STREAM, row)) < 0 || add_named(into, block_text(b, TENANT, row)) < 0
        || bytes_reserve(into, 24 + sizeof(double) * (size_t)b->values + rest.length) < 0)
        return -1;
    for (int i = MS; i <= TIME; i++)
        bytes_put(into, b->numbers[i].data + 8 * row, 8);
    for (int i = 0; i < b->values; i++)
        bytes_put(into, b->value[i].data + sizeof(double) * row, sizeof(double));
    bytes_put(into, rest.text, rest.length);
    return 0;
}

void block_nonce(const struct block *b, size_t row, unsigned char nonce[12])
{
    uint32_t epoch;
    uint64_t counter;
    memcpy(&epoch, b->numbers[EPOCH].data + 4 * row, 4);
    memcpy(&counter, b->numbers[COUNTER].data + 8 * row, 8);
    for (int i = 0; i < 4; i++)
        nonce[i] = (unsigned char)(epoch >> (24 - 8 * i));
    for (int i = 0; i < 8; i++)
        nonce[4 + i] = (unsigned char)(counter >> (56 - 8 * i));
}
