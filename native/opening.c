/* How a handle comes by its token: everything that can fail first, then the token, then nothing that can lose it. */
#include "claims.h"
#include "ledger.h"
#include "refusal.h"
#include "site.h"

/* Seconds of ``time.monotonic``, to a few milliseconds, for a tenth of its price. */
static double
monotonic(void)
{
    struct timespec now;
#ifdef CLOCK_MONOTONIC_COARSE
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
#else
    clock_gettime(CLOCK_MONOTONIC, &now);
#endif
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Have a release thread, before the first thing it could have to release. */
static int
start(Runtime *runtime)
{
    if (atomic_load_explicit(&runtime->started, memory_order_relaxed)) {
        return 0;
    }
    if (runtime_import(runtime) < 0 || runtime->hooks == NULL) {
        return PyErr_Occurred() ? -1 : 0;
    }
    PyObject *answer = PyObject_CallMethodNoArgs(runtime->hooks, runtime->names.first);
    int started = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    if (started >= 0) {
        atomic_store(&runtime->started, started);
    }
    return started < 0 ? -1 : 0;
}

/* Refuse what cannot be opened so. */
static int
examine(Runtime *runtime, Handle *handle, const Options *options)
{
    if (options->release == NULL) {
        PyErr_SetString(PyExc_TypeError, "missing a required keyword-only argument: 'release'");
        return -1;
    }
    if (!PyCallable_Check(options->release)) {
        PyErr_Format(PyExc_TypeError, "release must be callable, not %.200s", Py_TYPE(options->release)->tp_name);
        return -1;
    }
    if (handle->cell != NULL) {
        PyErr_Format(PyExc_TypeError, "%R is open already; a handle owns one token in its life.", handle);
        return -1;
    }
    if (Py_TYPE(handle) == runtime->Handle || runtime->hooks == NULL) {
        return 0;
    }
    PyObject *found = PyObject_CallMethodObjArgs(runtime->hooks, runtime->names.check, options->release, handle, NULL);
    Py_XDECREF(found);
    return found == NULL ? -1 : 0;
}

/* The site, or the one that stands for none, if only every n-th is kept and this is not it. */
static PyObject *
sampled_site(Runtime *runtime, Handle *handle)
{
    int every = atomic_load_explicit(&runtime->sample, memory_order_relaxed);
    if (every > 1 && atomic_fetch_add(&runtime->samples, 1) % (uint64_t)every != 0) {
        return Py_NewRef(runtime->unknown);
    }
    return site_capture(runtime, atomic_load_explicit(&runtime->depth, memory_order_relaxed),
                        Py_TYPE(handle) != runtime->Handle);
}

/* What it is called; nothing for now if that is the name of the release function. */
static PyObject *
kind_of(Runtime *runtime, Handle *handle, PyObject *given)
{
    if (given != NULL && given != Py_None && PyUnicode_GET_LENGTH(given) > 0) {
        return Py_NewRef(given);
    }
    PyTypeObject *type = Py_TYPE(handle);
    return type == runtime->Handle ? NULL : Py_NewRef(((PyHeapTypeObject *)type)->ht_name);
}

static int
tie(Cell *cell, const Options *options)
{
    if (options->via != NULL && options->via != Py_None) {
        Ties *ties = cell_ties(cell);
        if (ties == NULL) {
            return -1;
        }
        ties->via = Py_NewRef(options->via);
        ties->home = PyThread_get_thread_ident();
    }
    if (options->parent != NULL && options->parent != Py_None) {
        return family_join(cell, options->parent);
    }
    return 0;
}

Cell *
handle_prepare(Runtime *runtime, Handle *handle, const Options *options)
{
    if (start(runtime) < 0 || examine(runtime, handle, options) < 0) {
        return NULL;
    }
    claims_reserve(runtime);
    Cell *cell = cell_new(runtime);
    if (cell == NULL) {
        return NULL;
    }
    cell->size = options->size;
    cell->since = monotonic();
    cell->release = Py_NewRef(options->release);
    cell->kind = kind_of(runtime, handle, options->kind);
    cell->site = sampled_site(runtime, handle);
#ifdef Py_GIL_DISABLED
    cell->handle = PyWeakref_NewRef((PyObject *)handle, NULL);
    bool known = cell->handle != NULL;
#else
    cell->handle = (PyObject *)handle;
    bool known = true;
#endif
    if (cell->site == NULL || !known || tie(cell, options) < 0) {
        cell_drop(cell);
        return NULL;
    }
    handle->cell = cell;
    return cell;
}

/* Not to be owned after all: out of the books again, without a release. */
static void
withdraw(Cell *cell)
{
    follow(&cell->word, DISOWN);
    Py_XDECREF(ledger_take(cell, &cell->runtime->books.detached));
    LOCK(cell->runtime);
    cell->runtime->books.detached--;
    cell->runtime->books.opened--;
    UNLOCK(cell->runtime);
}

/* The one owner of a token that is to have one. The token is held by the caller. */
static int
claim(Cell *cell, PyObject *token)
{
    Cell *other = NULL;
    int taken = claims_make(cell, token, &other);
    if (taken == 1) {
        refuse_owned(cell, other);
        cell_drop(other);
        withdraw(cell);
    }
    else if (taken < 0 && follow(&cell->word, CLOSE) == RELEASE) {
        PyObject *error = error_take();
        cell_release(cell);
        error_put(error);
    }
    return taken == 0 ? 0 : -1;
}

/* No token, no handle; the exception stays. */
static int
fail(Cell *cell)
{
    PyObject *error = error_take();
    cell_end(cell);
    error_put(error);
    return -1;
}

int
handle_acquire(Cell *cell, PyObject *token, PyObject *factory, bool shared)
{
    if (token == NULL) {
        return fail(cell);
    }
    if (token == Py_None) {
        refuse_no_token(cell, factory);
        Py_DECREF(token);
        return fail(cell);
    }
    if (shared) {
        ledger_enter(cell, token);
        return 0;
    }
    Py_INCREF(token);
    ledger_enter(cell, token);
    int failed = claim(cell, token);
    Py_DECREF(token);
    return failed < 0 ? fail(cell) : 0;
}
