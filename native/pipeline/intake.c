/* What a connection says, made into sealed rows and replies; `tenure/pipeline/intake.py` defines what it does. */
#include "intake.h"

#include <stdio.h>

static PyObject *str_authenticated, *str_closing, *str_needed, *str_pending;

int conversation_begin(void)
{
    str_authenticated = PyUnicode_InternFromString("authenticated");
    str_closing = PyUnicode_InternFromString("closing");
    str_needed = PyUnicode_InternFromString("needed");
    str_pending = PyUnicode_InternFromString("pending");
    return str_authenticated && str_closing && str_needed && str_pending ? 0 : -1;
}

/* Milliseconds since 1970, asked once for everything that came together. */
static int ask_clock(struct intake *self)
{
    if (self->asked)
        return 0;
    PyObject *now = PyObject_CallNoArgs(self->clock);
    if (now == NULL)
        return -1;
    self->now = PyLong_AsUnsignedLongLong(now);
    Py_DECREF(now);
    self->asked = 1;
    return PyErr_Occurred() ? -1 : 0;
}

static int say(struct intake *self, PyObject *reply)
{
    if (!PyBytes_Check(reply)) {
        PyErr_SetString(PyExc_TypeError, "a reply is bytes");
        return -1;
    }
    return bytes_add(&self->replies, PyBytes_AS_STRING(reply), (size_t)PyBytes_GET_SIZE(reply));
}

static int say_refused(struct intake *self, int refusal)
{
    return say(self, PyList_GET_ITEM(self->refusals, refusal));
}

/* The digits of a number, before `end`; where they begin. */
static char *digits(char *end, uint64_t number)
{
    do
        *--end = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    return end;
}

static int say_id(struct intake *self, uint64_t ms, uint64_t seq)
{
    char reply[64], *end = reply + sizeof reply, *at = end;

    *--at = '\n';
    *--at = '\r';
    at = digits(at, seq);
    *--at = '-';
    at = digits(at, ms);
    size_t length = (size_t)(end - at) - 2;
    *--at = '\n';
    *--at = '\r';
    at = digits(at, length);
    *--at = '$';
    return bytes_add(&self->replies, at, (size_t)(end - at));
}

/* The end of a stream, where the next id goes; `new` if it is not in the table yet. A refusal, TAKEN, or -2. */
static int tail_of(struct intake *self, struct word stream, struct tail **tail, struct tail *new)
{
    *tail = names_find(&self->streams, stream);
    if (*tail != NULL)
        return TAKEN;
    memset(new, 0, sizeof *new);
    *tail = new;
    return self->streams.used >= self->most_streams ? MANY_STREAMS : TAKEN;
}

int intake_keep_tail(struct intake *self, struct word stream, const struct tail *tail)
{
    struct tail *kept = PyMem_Malloc(sizeof *kept);
    if (kept == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    *kept = *tail;
    if (names_add(&self->streams, stream, kept) < 0) {
        PyMem_Free(kept);
        return -1;
    }
    return 0;
}

/* Put an event into the block, to be sealed with the others; 0, or -1 with an error set. */
static int put(struct intake *self, const struct event *event, struct row *row)
{
    struct key *key = keys_for(&self->keys, &self->block, event->tenant);

    if (key == NULL)
        return -1;
    row->epoch = key->epoch;
    row->key = key->serial;
    /* Counted before it is used: a counter that was tried is never tried again. */
    row->counter = key->used++;
    if (block_append(&self->block, event, &self->plan, row) < 0 || keys_wait(&self->keys, &self->block, key) < 0)
        return -1;
    self->sealed++;
    self->sealed_bytes += event->secret;
    return 0;
}

/* One XADD; 0 with the reply said, or -1 with an error set. */
static int add(struct intake *self)
{
    struct event event;
    struct tail *tail, new;
    struct row row = {0};

    if (PyBytes_Check(self->refusal) && PyBytes_GET_SIZE(self->refusal) > 0)
        return say(self, self->refusal);
    int refusal = event_read(&event, self->request.words, self->request.count, &self->plan);
    if (refusal == TAKEN && !event.begins && names_find(&self->streams, event.stream) == NULL)
        return bytes_add(&self->replies, "$-1\r\n", 5);
    if (refusal == TAKEN)
        refusal = tail_of(self, event.stream, &tail, &new);
    if (refusal != TAKEN)
        return say_refused(self, refusal);
    if (ask_clock(self) < 0)
        return -1;
    row.ms = tail->ms;
    row.seq = tail->seq;
    refusal = id_after(&event.id, &row.ms, &row.seq, self->now);
    row.time = event.has_time ? event.time : (int64_t)row.ms;
    if (refusal == TAKEN && !event.has_time && row.ms > (uint64_t)LATEST)
        refusal = BAD_TIME;
    if (refusal == TAKEN && row.time > (int64_t)(self->now + self->ahead))
        refusal = TIME_AHEAD;
    if (refusal != TAKEN)
        return say_refused(self, refusal);
    if (put(self, &event, &row) < 0)
        return -1;
    *tail = (struct tail){row.ms, row.seq, tail->length + 1};
    if (tail == &new && intake_keep_tail(self, event.stream, &new) < 0)
        return -1;
    return say_id(self, row.ms, row.seq);
}

/* Any other request: Python answers. */
static int ask(struct intake *self, PyObject *conversation)
{
    PyObject *words = PyList_New((Py_ssize_t)self->request.count);
    for (size_t i = 0; words != NULL && i < self->request.count; i++) {
        struct word w = self->request.words[i];
        PyObject *word = PyBytes_FromStringAndSize(w.text, (Py_ssize_t)w.length);
        if (word == NULL)
            Py_CLEAR(words);
        else
            PyList_SET_ITEM(words, (Py_ssize_t)i, word);
    }
    if (words == NULL)
        return -1;
    PyObject *reply = PyObject_CallFunctionObjArgs(self->answer, conversation, words, NULL);
    Py_DECREF(words);
    int failed = reply == NULL ? -1 : say(self, reply);
    Py_XDECREF(reply);
    return failed;
}

static int is_xadd(const struct request *request)
{
    const char *t = request->words[0].text;
    return request->words[0].length == 4 && (t[0] | 32) == 'x' && (t[1] | 32) == 'a' && (t[2] | 32) == 'd'
           && (t[3] | 32) == 'd';
}

static int truth_of(PyObject *object, PyObject *name)
{
    PyObject *value = PyObject_GetAttr(object, name);
    int truth = value == NULL ? -1 : PyObject_IsTrue(value);
    Py_XDECREF(value);
    return truth;
}

static int set_needed(PyObject *conversation, size_t needed)
{
    PyObject *number = PyLong_FromSize_t(needed);
    int failed = number == NULL ? -1 : PyObject_SetAttr(conversation, str_needed, number);
    Py_XDECREF(number);
    return failed;
}

static int break_off(struct intake *self, PyObject *conversation, const char *problem)
{
    char reply[128];
    int length = snprintf(reply, sizeof reply, "-ERR Protocol error: %s\r\n", problem);
    self->protocol_errors++;
    if (PyObject_SetAttr(conversation, str_closing, Py_True) < 0)
        return -1;
    return bytes_add(&self->replies, reply, (size_t)length);
}

/* Every whole request in the buffer; `*at` is behind the last of them. */
static int walk(struct intake *self, PyObject *conversation, const char *buffer, size_t length, size_t *at)
{
    char problem[64];
    size_t needed = 0;
    int closing = 0, known = truth_of(conversation, str_authenticated);

    while (!closing) {
        if (known < 0)
            return -1;
        const struct limits *limits = known ? &self->limits : &self->strangers;
        enum verdict verdict = resp_next(&self->request, buffer, length, at, limits, &needed, problem);
        if (verdict == RESP_FAILED)
            return -1;
        if (verdict == RESP_BROKEN)
            return break_off(self, conversation, problem);
        if (verdict == RESP_CUT)
            return set_needed(conversation, needed - *at);
        if (self->request.count == 0)
            continue;
        if (known && is_xadd(&self->request)) {
            if (add(self) < 0)
                return -1;
        } else if (ask(self, conversation) < 0 || (closing = truth_of(conversation, str_closing)) < 0) {
            return -1;
        } else {
            known = truth_of(conversation, str_authenticated);
        }
        self->requests++;
    }
    return 0;
}

/* Walk what was said, together with what had been said before if a request was cut. */
static int listen(struct intake *self, PyObject *conversation, PyObject *pending, const Py_buffer *data)
{
    size_t at = 0, before = (size_t)PyByteArray_GET_SIZE(pending), length = before + (size_t)data->len;

    if (before == 0) {
        if (walk(self, conversation, data->buf, length, &at) < 0)
            return -1;
        if (at == length)
            return 0;
        if (PyByteArray_Resize(pending, (Py_ssize_t)(length - at)) < 0)
            return -1;
        memcpy(PyByteArray_AS_STRING(pending), (const char *)data->buf + at, length - at);
        return 0;
    }
    if (PyByteArray_Resize(pending, (Py_ssize_t)length) < 0)
        return -1;
    memcpy(PyByteArray_AS_STRING(pending) + before, data->buf, (size_t)data->len);
    PyObject *needed = PyObject_GetAttr(conversation, str_needed);
    size_t enough = needed == NULL ? 0 : PyLong_AsSize_t(needed);
    Py_XDECREF(needed);
    if (PyErr_Occurred())
        return -1;
    if (length < enough)
        return 0;
    /* While it is exported the bytearray cannot be resized by whoever answers. */
    Py_buffer view;
    if (PyObject_GetBuffer(pending, &view, PyBUF_SIMPLE) < 0)
        return -1;
    int failed = walk(self, conversation, view.buf, length, &at);
    PyBuffer_Release(&view);
    if (failed < 0)
        return -1;
    memmove(PyByteArray_AS_STRING(pending), PyByteArray_AS_STRING(pending) + at, length - at);
    return PyByteArray_Resize(pending, (Py_ssize_t)(length - at));
}

PyObject *intake_feed(struct intake *self, PyObject *const *args, Py_ssize_t count)
{
    Py_buffer data;
    PyObject *reply = NULL;

    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "feed(conversation, data)");
        return NULL;
    }
    if (self->busy) {
        PyErr_SetString(PyExc_RuntimeError, "an intake is fed by one thread, one piece at a time");
        return NULL;
    }
    int closing = truth_of(args[0], str_closing);
    if (closing != 0)
        return closing < 0 ? NULL : PyBytes_FromStringAndSize(NULL, 0);
    PyObject *pending = PyObject_GetAttr(args[0], str_pending);
    if (pending == NULL)
        return NULL;
    if (!PyByteArray_Check(pending)) {
        PyErr_SetString(PyExc_TypeError, "pending is a bytearray");
        Py_DECREF(pending);
        return NULL;
    }
    if (PyObject_GetBuffer(args[1], &data, PyBUF_SIMPLE) < 0) {
        Py_DECREF(pending);
        return NULL;
    }
    size_t rows = self->block.rows;
    self->busy = 1;
    self->asked = 0;
    self->replies.length = 0;
    self->keys.from = rows;
    if (listen(self, args[0], pending, &data) == 0 && keys_seal(&self->keys, &self->block) == 0) {
        reply = PyBytes_FromStringAndSize(self->replies.data, (Py_ssize_t)self->replies.length);
    } else {
        /* Nothing that lies open may stay: what this piece added is gone. */
        self->sealed -= self->block.rows - rows;
        block_cut(&self->block, rows);
        keys_forget_rows(&self->keys, &self->block);
    }
    self->busy = 0;
    PyBuffer_Release(&data);
    Py_DECREF(pending);
    return reply;
}
