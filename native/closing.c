/* How a handle ends by ``close()``: refuse or take the arrow, children first, release or leave it to the last lease;
   and how it ends by ``detach()``. */
#include "ledger.h"
#include "refusal.h"

/* Closed, or closing where that counts as closed: a second close. */
static bool
is_second(Runtime *runtime, State state)
{
    return state == CLOSED || (state == CLOSING && atomic_load_explicit(&runtime->strict, memory_order_relaxed));
}

static int
again(Runtime *runtime, Cell *cell)
{
    if (!atomic_load_explicit(&runtime->strict, memory_order_relaxed)) {
        return 0;
    }
    refuse_again(cell);
    return -1;
}

/* Whether somebody uses it, and not only children, where that refuses a close. */
static bool
is_refused(Runtime *runtime, Cell *cell, uint64_t word)
{
    return atomic_load_explicit(&runtime->refuse, memory_order_relaxed) && leases_in(word) > family_size(cell);
}

/* Until the last lease is back and the token released. */
static int
await_release(Cell *cell, PyObject *timeout)
{
    Runtime *runtime = cell->runtime;
    if (!ledger_is_pending(cell)) {
        return 0;
    }
    Ties *ties = cell_ties(cell);
    PyObject *fresh = ties == NULL ? NULL : PyObject_CallMethod(runtime->threading, "Event", NULL);
    if (fresh == NULL) {
        return -1;
    }
    LOCK(runtime);
    if (ties->event == NULL) {
        ties->event = Py_NewRef(fresh);
    }
    PyObject *event = Py_NewRef(ties->event);
    UNLOCK(runtime);
    Py_DECREF(fresh);
    int done = 1;
    if (ledger_is_pending(cell)) { /* whoever ends that from now on finds the event */
        PyObject *answer = PyObject_CallMethodOneArg(event, runtime->names.wait, timeout);
        done = answer == NULL ? -1 : PyObject_IsTrue(answer);
        Py_XDECREF(answer);
    }
    Py_DECREF(event);
    if (done == 0) {
        refuse_waiting(cell, timeout);
    }
    return done == 1 ? 0 : -1;
}

/* Take the arrow of a close. 1: taken, and ``effect`` says what else is to be done; 0: it is closed; -1: refused. */
static int
take_close(Cell *cell, Effect *effect)
{
    Runtime *runtime = cell->runtime;
    uint64_t word = atomic_load_explicit(&cell->word, memory_order_acquire);
    if (refused_here(cell, "close")) {
        return -1;
    }
    if (is_second(runtime, state_in(word))) {
        return again(runtime, cell);
    }
    if (is_refused(runtime, cell, word)) {
        refuse_leased(cell, "close");
        return -1;
    }
    if (state_in(word) != CLOSING) {
        cell_mark_closed(cell);
    }
    *effect = follow(&cell->word, CLOSE);
    return 1;
}

/* --- The children */

int
failures_note(PyObject **failures)
{
    PyObject *error = error_take();
    if (*failures == NULL) {
        *failures = PyList_New(0);
    }
    int failed = *failures == NULL ? -1 : PyList_Append(*failures, error);
    Py_DECREF(error);
    return failed;
}

/* The ``close`` that somebody wrote for a subclass or put on the handle; NULL: there is none. */
static PyObject *
own_close(Handle *handle)
{
    if (Py_TYPE(handle) == handle->cell->runtime->Handle) {
        return NULL;
    }
    PyObject *method = PyObject_GetAttr((PyObject *)handle, handle->cell->runtime->names.close);
    if (method != NULL && PyCFunction_Check(method) &&
        PyCFunction_GetFunction(method) == (PyCFunction)(void (*)(void))handle_close_method) {
        Py_CLEAR(method);
    }
    return method;
}

/* Close one of them; its own children are left on the stack. */
static int
close_child(Handles *below, Handle *child)
{
    Cell *cell = child->cell;
    if (state_in(atomic_load(&cell->word)) == CLOSED) {
        return 0;
    }
    PyObject *method = own_close(child);
    if (method != NULL) {
        PyObject *result = PyObject_CallNoArgs(method);
        Py_XDECREF(result);
        Py_DECREF(method);
        return result == NULL ? -1 : 0;
    }
    Effect effect;
    int taken = PyErr_Occurred() ? -1 : take_close(cell, &effect);
    if (taken <= 0) {
        return taken;
    }
    return effect == RELEASE ? cell_release(cell) : family_push(below, cell);
}

int
close_below(Cell *cell, PyObject **failures)
{
    /* A stack of our own: a family may be deeper than C's. */
    Handles below = {0};
    int failed = family_push(&below, cell);
    while (below.count > 0) {
        PyObject *child = below.items[--below.count];
        if (child != NULL && failed == 0 && close_child(&below, (Handle *)child) < 0) {
            failed = failures_note(failures);
        }
        Py_XDECREF(child);
    }
    PyMem_Free(below.items);
    return failed;
}

/* --- The handle itself */

/* The children, the release, and the wait for it; every failure is told. */
static int
finish(Cell *cell, Effect effect, bool wait, PyObject *timeout)
{
    PyObject *failures = NULL;
    int failed = close_below(cell, &failures);
    if (failed == 0 && effect == RELEASE && cell_release(cell) < 0) {
        failed = failures_note(&failures);
    }
    if (failed == 0 && wait) {
        failed = await_release(cell, timeout);
    }
    if (failed < 0 || failures == NULL) {
        Py_XDECREF(failures);
        return failed;
    }
    refuse_together(failures);
    return -1;
}

int
handle_close(Handle *handle, bool wait, PyObject *timeout)
{
    Cell *cell = handle->cell;
    if (cell == NULL) {
        refuse_unopened((PyObject *)handle);
        return -1;
    }
    Effect effect;
    int taken = take_close(cell, &effect);
    if (taken <= 0) {
        return taken == 0 && wait ? await_release(cell, timeout) : taken;
    }
    if (cell->ties == NULL && effect == RELEASE) {
        return cell_release(cell);
    }
    return finish(cell, effect, wait, timeout);
}

PyObject *
handle_close_method(Handle *self, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    PyObject *wait = Py_False, *timeout = Py_None;
    if (count != 0) {
        return PyErr_Format(PyExc_TypeError, "close takes no positional arguments (%zd given)", count);
    }
    for (Py_ssize_t at = 0; names != NULL && at < PyTuple_GET_SIZE(names); at++) {
        PyObject *name = PyTuple_GET_ITEM(names, at);
        if (PyUnicode_CompareWithASCIIString(name, "wait") == 0) {
            wait = args[at];
        }
        else if (PyUnicode_CompareWithASCIIString(name, "timeout") == 0) {
            timeout = args[at];
        }
        else {
            return PyErr_Format(PyExc_TypeError, "close got an unexpected keyword argument '%U'", name);
        }
    }
    int waits = PyObject_IsTrue(wait);
    if (waits < 0 || handle_close(self, waits, timeout) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* --- Giving it up */

/* Take the arrow of DISOWN, unless leases are out. */
static bool
give_up(Cell *cell)
{
    uint64_t seen = atomic_load_explicit(&cell->word, memory_order_acquire);
    while (leases_in(seen) == 0) {
        uint64_t next = word_of(ARROWS[state_in(seen)][DISOWN].state, 0);
        if (atomic_compare_exchange_weak(&cell->word, &seen, next)) {
            return true;
        }
    }
    return false;
}

PyObject *
handle_detach(Handle *self, PyObject *Py_UNUSED(ignored))
{
    Cell *cell = self->cell;
    if (cell == NULL) {
        return refuse_unopened((PyObject *)self);
    }
    if (!give_up(cell)) {
        return refuse_leased(cell, "detach");
    }
    PyObject *token = ledger_take(cell, &cell->runtime->books.detached);
    if (token == NULL) {
        return refuse_closed(cell, "");
    }
    cell_mark_closed(cell);
    if (cell_end(cell) < 0) {
        Py_CLEAR(token);
    }
    return token;
}
