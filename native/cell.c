/* Cells: made, held, released, handed to the safety net. */
#include "cell.h"

#include "ledger.h"
#include "queue.h"
#include "site.h"

Cell *
cell_new(Runtime *runtime)
{
    Cell *cell = PyMem_Calloc(1, sizeof(Cell));
    if (cell == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    cell->runtime = runtime;
    atomic_fetch_add_explicit(&runtime->holders, 1, memory_order_relaxed);
    atomic_init(&cell->holders, 1);
    /* Until there is a token nobody may lease. */
    atomic_init(&cell->word, word_of(CLOSED, 0));
    return cell;
}

void
cell_hold(Cell *cell)
{
    atomic_fetch_add_explicit(&cell->holders, 1, memory_order_relaxed);
}

static void
ties_free(Ties *ties)
{
    if (ties != NULL) {
        Py_XDECREF(ties->via);
        Py_XDECREF(ties->parent);
        Py_XDECREF(ties->event);
        PyMem_Free(ties);
    }
}

void
cell_drop(Cell *cell)
{
    if (atomic_fetch_sub_explicit(&cell->holders, 1, memory_order_acq_rel) != 1) {
        return;
    }
    Runtime *runtime = cell->runtime;
    if (cell->ties != NULL) {
        family_forget(cell);
    }
    Py_XDECREF(cell->token);
    Py_XDECREF(cell->release);
    Py_XDECREF(cell->site);
    Py_XDECREF(cell->kind);
    Py_XDECREF(cell->closed_code);
#ifdef Py_GIL_DISABLED
    Py_XDECREF(cell->handle);
#endif
    ties_free(cell->ties);
    PyMem_Free(cell);
    runtime_drop(runtime);
}

Ties *
cell_ties(Cell *cell)
{
    if (cell->ties != NULL) {
        return cell->ties;
    }
    Ties *fresh = PyMem_Calloc(1, sizeof(Ties));
    if (fresh == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    LOCK(cell->runtime);
    Ties *ties = cell->ties;
    if (ties == NULL) {
        cell->ties = ties = fresh;
        fresh = NULL;
    }
    UNLOCK(cell->runtime);
    PyMem_Free(fresh);
    return ties;
}

PyObject *
cell_handle(Cell *cell)
{
#ifdef Py_GIL_DISABLED
    PyObject *handle = NULL;
    if (cell->handle != NULL && PyWeakref_GetRef(cell->handle, &handle) < 0) {
        PyErr_Clear();
    }
    return handle;
#else
    /* While a subclass is being torn down nobody holds it any more, although it is still there. */
    return cell->handle != NULL && Py_REFCNT(cell->handle) > 0 ? Py_NewRef(cell->handle) : NULL;
#endif
}

int
cell_back(Cell *cell)
{
    return follow_back(&cell->word, false) == RELEASE ? cell_release(cell) : 0;
}

int
cell_unlease(Cell *cell)
{
    return cell->orphaned ? 0 : cell_back(cell);
}

/* If it is the last on a closing handle it stays out, and the safety net owes it. */
static void
back_or_owe(Cell *cell)
{
    if (follow_back(&cell->word, true) == RELEASE) {
        LOCK(cell->runtime);
        cell->owed = true;
        queue_put(cell);
        UNLOCK(cell->runtime);
    }
}

void
cell_unlease_later(Cell *cell)
{
    if (!cell->orphaned) {
        back_or_owe(cell);
    }
}

/* Call the release function, unless the token is gone. What it raised, or NULL. */
static PyObject *
release_token(Cell *cell)
{
    PyObject *token = ledger_take_to_release(cell);
    if (token == NULL) {
        return NULL;
    }
    PyObject *result = PyObject_CallOneArg(cell->release, token);
    ledger_released(cell);
    PyObject *error = result == NULL ? error_take() : NULL;
    Py_XDECREF(result);
    Py_DECREF(token);
    return error;
}

/* Wake who waits for the release. What that raised, or NULL. */
static PyObject *
wake(Cell *cell)
{
    LOCK(cell->runtime);
    PyObject *event = cell->ties->event;
    cell->ties->event = NULL;
    UNLOCK(cell->runtime);
    if (event == NULL) {
        return NULL;
    }
    PyObject *result = PyObject_CallMethodNoArgs(event, cell->runtime->names.set);
    PyObject *error = result == NULL ? error_take() : NULL;
    Py_XDECREF(result);
    Py_DECREF(event);
    return error;
}

/* The token is gone: wake who waits, leave the parent. The parent, held, if that was the last child out of a closing
   one and it is to be released now; NULL otherwise. */
static PyObject *
part(Cell *cell, PyObject **error)
{
    if (cell->ties == NULL) {
        return NULL;
    }
    *error = error_after(*error, wake(cell));
    PyObject *parent = family_leave(cell);
    if (parent != NULL && follow_back(&((Handle *)parent)->cell->word, false) != RELEASE) {
        Py_CLEAR(parent);
    }
    return parent;
}

/* Release ``parent``, then its own if it was the last child there, and so on up: one after the other and not one inside
   the other, as a family may be deeper than the stack. Steals both; raises ``error``, or what came on top of it. */
static int
climb(PyObject *parent, PyObject *error)
{
    while (parent != NULL) {
        Cell *cell = ((Handle *)parent)->cell;
        error = error_after(error, release_token(cell));
        PyObject *above = part(cell, &error);
        Py_SETREF(parent, above);
    }
    int failed = error == NULL ? 0 : -1;
    error_put(error);
    return failed;
}

int
cell_release(Cell *cell)
{
    PyObject *error = release_token(cell);
    PyObject *parent = part(cell, &error);
    return climb(parent, error);
}

PyObject *
cell_disown(Cell *cell)
{
    follow(&cell->word, DISOWN);
    return ledger_take(cell, &cell->runtime->books.disowned);
}

int
cell_end(Cell *cell)
{
    PyObject *error = NULL, *parent = part(cell, &error);
    return climb(parent, error);
}

bool
cell_export(Cell *cell)
{
    if (!cell_lease(cell)) {
        return false;
    }
    LOCK(cell->runtime);
    cell->ties->exports++;
    UNLOCK(cell->runtime);
    return true;
}

void
cell_unexport(Cell *cell)
{
    LOCK(cell->runtime);
    cell->ties->exports--;
    UNLOCK(cell->runtime);
    back_or_owe(cell);
}

int
cell_pay(Cell *cell)
{
    LOCK(cell->runtime);
    bool owed = cell->owed;
    cell->owed = false;
    UNLOCK(cell->runtime);
    return owed ? cell_back(cell) : 0;
}

/* The leases that are not lost with the handle: those of open children, and of exported buffers. */
static uint64_t
kept_leases(const Cell *cell)
{
    return cell->ties == NULL ? 0 : cell->ties->children + cell->ties->exports;
}

/* From now on the cell owns what the handle did. Whether that is new. */
static bool
orphan(Cell *cell)
{
    LOCK(cell->runtime);
    bool before = cell->orphaned;
    cell->orphaned = true;
    UNLOCK(cell->runtime);
    return !before;
}

void
cell_abandon(Cell *cell)
{
    uint64_t word = atomic_load(&cell->word);
    if (state_in(word) == CLOSED || !orphan(cell)) {
        return;
    }
    /* Invariant: whoever has a lease holds the handle, so these can be reached by nobody either. */
    for (uint64_t lost = leases_in(word) - kept_leases(cell); lost > 0; lost--) {
        back_or_owe(cell);
    }
    Effect effect = follow(&cell->word, ABANDON);
    if (effect == ENQUEUE || effect == REPORT) {
        LOCK(cell->runtime);
        cell->runtime->books.abandoned++;
        cell->leaked = true;
        queue_put(cell);
        UNLOCK(cell->runtime);
    }
}

void
cell_mark_closed(Cell *cell)
{
    int lasti = 0;
    PyObject *code = site_here(&lasti);
    LOCK(cell->runtime);
    PyObject *old = cell->closed_code;
    cell->closed_code = code;
    cell->closed_at = lasti;
    UNLOCK(cell->runtime);
    Py_XDECREF(old);
}
