/* How a handle ends by ``close()``: refuse or take the arrow, children first, release or leave it to the last lease. */
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
    if (state_in(atomic_load(&cell->word)) != CLOSED) {
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

/* The children, the release, and the wait for it; every failure is told. */
static int
finish(Cell *cell, Effect effect, bool wait, PyObject *timeout)
{
    PyObject *failures = NULL;
    int failed = family_close(cell, &failures);
    if (failed == 0 && effect == RELEASE && cell_release(cell) < 0) {
        failed = failures_note(&failures);
    }
    if (failed == 0 && wait && state_in(atomic_load(&cell->word)) == CLOSING) {
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
    Effect effect = follow(&cell->word, CLOSE);
    if (cell->ties == NULL && effect == RELEASE) {
        return cell_release(cell);
    }
    return finish(cell, effect, wait, timeout);
}
