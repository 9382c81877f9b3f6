/* Where finalizers leave cells for the release thread: ``Queue``.

   The queue is a chain through the cells, so a finalizer allocates nothing to put one there. A job, something to call
   that Python code puts in, waits in a cell of its own, so that one order holds for both. The bell is a lock that is
   held unless rung: it is rung only when somebody sleeps, so a burst of finalizers costs one wake-up. */
#include "queue.h"

#include "ledger.h"
#include "remains.h"

typedef struct {
    PyObject_HEAD
    Runtime *runtime; /* which the module, and so this type, keeps */
} Queue;

/* --- Putting and taking, with the lock held. */

static void
ring(Runtime *runtime)
{
    if (runtime->sleepers > 0 && !runtime->rung) {
        runtime->rung = true;
        PyThread_release_lock(runtime->bell);
    }
}

void
queue_put(Cell *cell)
{
    Runtime *runtime = cell->runtime;
    if (!cell->queued) {
        cell->queued = true;
        cell_hold(cell);
        *(runtime->last != NULL ? &runtime->last->behind : &runtime->first) = cell;
        runtime->last = cell;
        runtime->length++;
    }
    ring(runtime);
}

/* The first cell, with the queue's hold on it; NULL if there is none. */
static Cell *
queue_take(Runtime *runtime)
{
    Cell *cell = runtime->first;
    if (cell != NULL) {
        runtime->first = cell->behind;
        if (runtime->first == NULL) {
            runtime->last = NULL;
        }
        cell->behind = NULL;
        cell->queued = false;
        runtime->length--;
        if (runtime->length > 0) {
            ring(runtime); /* the sleeper who was rung for this one may not come */
        }
    }
    return cell;
}

int
queue_reset(Runtime *runtime)
{
    /* Whoever slept or had just been rung is not in this process; the old bell may be in any state, and is left. */
    PyThread_type_lock bell = PyThread_allocate_lock();
    if (bell == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    PyThread_acquire_lock(bell, WAIT_LOCK);
    runtime->bell = bell;
    runtime->rung = false;
    runtime->sleepers = 0;
    queue_clear(runtime);
    return 0;
}

void
queue_clear(Runtime *runtime)
{
    for (;;) {
        LOCK(runtime);
        Cell *cell = queue_take(runtime);
        UNLOCK(runtime);
        if (cell == NULL) {
            return;
        }
        cell_drop(cell);
    }
}

/* --- Queue */

static PyObject *
queue_put_job(Queue *self, PyObject *job)
{
    Cell *cell = cell_new(self->runtime);
    if (cell == NULL) {
        return NULL;
    }
    cell->job = true;
    cell->release = Py_NewRef(job);
    LOCK(self->runtime);
    queue_put(cell);
    UNLOCK(self->runtime);
    cell_drop(cell);
    Py_RETURN_NONE;
}

/* Whether it can be released without a word: abandoned, confined to no thread, in nobody's way, its handle gone for good,
   and not the leak of its line that is reported. -1: asking raised. */
static int
is_quiet(Runtime *runtime, Cell *cell)
{
    LOCK(runtime);
    bool plain = cell->leaked && cell->ties == NULL && cell->handle == NULL;
    UNLOCK(runtime);
    if (!plain || runtime->hooks == NULL || state_in(atomic_load(&cell->word)) != ABANDONED) {
        return 0;
    }
    PyObject *answer = PyObject_CallMethodOneArg(runtime->hooks, runtime->names.passes, cell->site);
    int passes = answer == NULL ? -1 : PyObject_IsTrue(answer);
    Py_XDECREF(answer);
    return passes;
}

/* Release it here; what that raises is told with the line of the ledger. */
static int
release_quietly(Runtime *runtime, Cell *cell)
{
    cell->leaked = false;
    PyObject *token = Py_XNewRef(cell->token);
    int failed = follow(&cell->word, CLOSE) == RELEASE ? cell_release(cell) : 0;
    if (failed < 0) {
        PyObject *error = error_take(), *entry = ledger_entry_with(cell, Py_XNewRef(token));
        PyObject *told = entry == NULL ? NULL
                                       : PyObject_CallMethodObjArgs(runtime->hooks, runtime->names.failed, entry, error,
                                                                    NULL);
        failed = told == NULL ? -1 : 0;
        Py_XDECREF(told);
        Py_XDECREF(entry);
        Py_XDECREF(error);
    }
    Py_XDECREF(token);
    return failed;
}

/* A job as itself, anything else as its remains. Steals the hold on the cell. */
static PyObject *
as_item(Runtime *runtime, Cell *cell)
{
    if (!cell->job) {
        return remains_new(runtime, cell);
    }
    PyObject *job = Py_NewRef(cell->release);
    cell_drop(cell);
    return job;
}

/* Sleep until the bell rings. The lock is held on entry and not on return; -1: a signal handler raised. */
static int
sleep_unlocked(Runtime *runtime, PY_TIMEOUT_T microseconds)
{
    PyThread_type_lock bell = runtime->bell;
    runtime->sleepers++;
    UNLOCK(runtime);
    PyLockStatus status;
    Py_BEGIN_ALLOW_THREADS;
    status = PyThread_acquire_lock_timed(bell, microseconds, 1);
    Py_END_ALLOW_THREADS;
    LOCK(runtime);
    if (runtime->sleepers > 0) { /* not if it was forked away meanwhile */
        runtime->sleepers--;
    }
    if (status == PY_LOCK_ACQUIRED) {
        runtime->rung = false;
    }
    UNLOCK(runtime);
    return status == PY_LOCK_INTR ? PyErr_CheckSignals() : 0;
}

static int64_t
microseconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The next item, or None when the time is up. ``microseconds`` below 0: never. */
static PyObject *
wait_for_item(Runtime *runtime, int64_t microseconds)
{
    int64_t end = microseconds < 0 ? INT64_MAX : microseconds_now() + microseconds;
    for (;;) {
        LOCK(runtime);
        Cell *cell = queue_take(runtime);
        if (cell != NULL) {
            UNLOCK(runtime);
            int quiet = is_quiet(runtime, cell);
            if (quiet == 0) {
                return as_item(runtime, cell);
            }
            int failed = quiet < 0 ? -1 : release_quietly(runtime, cell);
            cell_drop(cell);
            if (failed < 0) {
                return NULL;
            }
            continue;
        }
        int64_t left = microseconds < 0 ? -1 : end - microseconds_now();
        if (microseconds >= 0 && left <= 0) {
            UNLOCK(runtime);
            Py_RETURN_NONE;
        }
        if (sleep_unlocked(runtime, left) < 0) {
            return NULL;
        }
    }
}

static PyObject *
queue_get(Queue *self, PyObject *const *args, Py_ssize_t count)
{
    if (count > 1) {
        return PyErr_Format(PyExc_TypeError, "get takes at most 1 argument (%zd given)", count);
    }
    if (count == 0 || args[0] == Py_None) {
        return wait_for_item(self->runtime, -1);
    }
    double seconds = PyFloat_AsDouble(args[0]);
    if (seconds == -1.0 && PyErr_Occurred()) {
        return NULL;
    }
    double most = 1e6 * 86400 * 365;
    return wait_for_item(self->runtime, seconds <= 0 ? 0 : seconds * 1e6 < most ? (int64_t)(seconds * 1e6) : (int64_t)most);
}

static Py_ssize_t
queue_length(Queue *self)
{
    LOCK(self->runtime);
    size_t length = self->runtime->length;
    UNLOCK(self->runtime);
    return (Py_ssize_t)length;
}

static void
queue_dealloc(Queue *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    runtime_drop(self->runtime);
    type->tp_free(self);
    Py_DECREF(type);
}

static int
queue_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static PyMethodDef queue_methods[] = {
    {"put", (PyCFunction)(void (*)(void))queue_put_job, METH_O,
     PyDoc_STR("put($self, item, /)\n--\n\nHave the release thread call ``item``. Never blocks, runs nobody's code.")},
    {"get", (PyCFunction)(void (*)(void))queue_get, METH_FASTCALL,
     PyDoc_STR("get($self, timeout=None, /)\n--\n\nThe next item, or None if none came within ``timeout`` seconds.")},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot queue_slots[] = {
    {Py_tp_doc, (void *)PyDoc_STR("Where finalizers leave what remains of their handles.")},
    {Py_tp_dealloc, (void *)queue_dealloc},
    {Py_tp_traverse, (void *)queue_traverse},
    {Py_tp_methods, queue_methods},
    {Py_sq_length, (void *)queue_length},
    {0, NULL},
};

static PyType_Spec queue_spec = {
    .name = "tenure._native.Queue",
    .basicsize = sizeof(Queue),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = queue_slots,
};

PyTypeObject *
queue_type(PyObject *module)
{
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &queue_spec, NULL);
}

PyObject *
queue_new(Runtime *runtime)
{
    Queue *queue = (Queue *)runtime->Queue->tp_alloc(runtime->Queue, 0);
    if (queue != NULL) {
        queue->runtime = runtime;
        atomic_fetch_add(&runtime->holders, 1);
    }
    return (PyObject *)queue;
}
