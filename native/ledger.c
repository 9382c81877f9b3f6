/* The books of what is open: a list in order of opening. */
#include "ledger.h"

#include <unistd.h>

#include "claims.h"
#include "queue.h"
#include "refusal.h"

/* --- The list, oldest first. */

void
ledger_enter(Cell *cell, PyObject *token)
{
    Runtime *runtime = cell->runtime;
    cell_hold(cell);
    LOCK(runtime);
    cell->token = token;
    cell->listed = true;
    cell->older = runtime->newest;
    *(runtime->newest != NULL ? &runtime->newest->newer : &runtime->oldest) = cell;
    runtime->newest = cell;
    runtime->books.opened++;
    runtime->books.open++;
    runtime->books.size += cell->size;
    UNLOCK(runtime);
    /* Anybody who sees it open sees its token. */
    atomic_store_explicit(&cell->word, word_of(OPEN, 0), memory_order_release);
}

/* The address by which messages name what is closed, in 64 bits. */
static uint64_t
remembered(PyObject *token)
{
    int overflow = 0;
    long long number = PyLong_CheckExact(token) ? PyLong_AsLongLongAndOverflow(token, &overflow) : (intptr_t)token;
    return overflow != 0 ? 0 : (uint64_t)number;
}

static void
unlist(Cell *cell)
{
    Runtime *runtime = cell->runtime;
    cell->hash = remembered(cell->token);
    *(cell->newer != NULL ? &cell->newer->older : &runtime->newest) = cell->older;
    *(cell->older != NULL ? &cell->older->newer : &runtime->oldest) = cell->newer;
    cell->older = cell->newer = NULL;
    cell->going.era = 0; /* in the place of those */
    cell->listed = false;
    runtime->books.open--;
    runtime->books.size -= cell->size;
}

/* ``releasing``: the caller is going to call the release function. */
static PyObject *
take(Cell *cell, uint64_t *book, bool releasing)
{
    PyObject *token = NULL;
    LOCK(cell->runtime);
    bool listed = cell->listed;
    if (listed) {
        claims_give_up(cell);
        unlist(cell);
        if (releasing) {
            cell->going.thread = PyThread_get_thread_ident();
            cell->going.era = cell->runtime->era;
        }
        (*book)++;
        token = cell->token;
        /* Under a lease the token stays, for the lease to give; nobody can take another one. */
        if (leases_in(atomic_load_explicit(&cell->word, memory_order_relaxed)) == 0) {
            cell->token = NULL;
        }
        else {
            Py_INCREF(token);
        }
    }
    UNLOCK(cell->runtime);
    if (listed) {
        cell_drop(cell);
    }
    return token;
}

PyObject *
ledger_take(Cell *cell, uint64_t *book)
{
    return take(cell, book, false);
}

PyObject *
ledger_take_to_release(Cell *cell)
{
    return take(cell, &cell->runtime->books.closed, true);
}

void
ledger_released(Cell *cell)
{
    LOCK(cell->runtime);
    cell->going.era = 0;
    UNLOCK(cell->runtime);
}

bool
ledger_is_pending(Cell *cell)
{
    LOCK(cell->runtime);
    bool elsewhere = cell->going.era == cell->runtime->era && cell->going.thread != PyThread_get_thread_ident();
    bool pending = cell->listed || elsewhere;
    UNLOCK(cell->runtime);
    return pending;
}

/* Every open cell, held, oldest first; the number of them, or -1 and an exception. */
static Py_ssize_t
hold_all(Runtime *runtime, Cell ***cells)
{
    for (;;) {
        LOCK(runtime);
        uint64_t room = runtime->books.open;
        UNLOCK(runtime);
        *cells = PyMem_RawMalloc((room + 1) * sizeof(Cell *));
        if (*cells == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        Py_ssize_t count = 0;
        LOCK(runtime);
        bool fits = runtime->books.open <= room;
        for (Cell *cell = fits ? runtime->oldest : NULL; cell != NULL; cell = cell->newer) {
            cell_hold(cell);
            (*cells)[count++] = cell;
        }
        UNLOCK(runtime);
        if (fits) {
            return count;
        }
        PyMem_RawFree(*cells);
    }
}

/* ``of`` every open cell, oldest first; where it answers NULL and raises nothing, nothing. */
static PyObject *
collect(PyObject *module, PyObject *(*of)(Cell *))
{
    Cell **cells;
    Py_ssize_t count = hold_all(runtime_of_module(module), &cells);
    if (count < 0) {
        return NULL;
    }
    PyObject *list = PyList_New(0);
    for (Py_ssize_t at = 0; at < count; at++) {
        PyObject *item = list == NULL ? NULL : of(cells[at]);
        if (item != NULL ? PyList_Append(list, item) < 0 : PyErr_Occurred() != NULL) {
            Py_CLEAR(list);
        }
        Py_XDECREF(item);
        cell_drop(cells[at]);
    }
    PyMem_RawFree(cells);
    return list;
}

PyObject *
ledger_handles(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    return collect(module, cell_handle);
}

/* --- Entries, for people. */

/* What a token is known by: itself, if it is a whole number; where it stands otherwise; 0 if it is gone. */
static PyObject *
address_of(PyObject *token)
{
    return token != NULL && PyLong_CheckExact(token) ? Py_NewRef(token) : PyLong_FromVoidPtr(token);
}

PyObject *
ledger_entry_with(Cell *cell, PyObject *token)
{
    Runtime *runtime = cell->runtime;
    uint64_t word = atomic_load(&cell->word);
    PyObject *entry = runtime->Entry->tp_alloc(runtime->Entry, 7);
    if (entry != NULL) {
        PyTuple_SET_ITEM(entry, 0, cell_kind(cell));
        PyTuple_SET_ITEM(entry, 1, address_of(token));
        PyTuple_SET_ITEM(entry, 2, PyLong_FromSsize_t(cell->size));
        PyTuple_SET_ITEM(entry, 3, PyFloat_FromDouble(cell->since));
        PyTuple_SET_ITEM(entry, 4, Py_NewRef(cell->site));
        PyTuple_SET_ITEM(entry, 5, Py_NewRef(PyTuple_GET_ITEM(runtime->states, state_in(word))));
        PyTuple_SET_ITEM(entry, 6, PyLong_FromUnsignedLongLong(leases_in(word)));
        for (int at = 0; entry != NULL && at < 7; at++) {
            if (PyTuple_GET_ITEM(entry, at) == NULL) {
                Py_CLEAR(entry);
            }
        }
    }
    Py_XDECREF(token);
    return entry;
}

static PyObject *
token_of(Cell *cell)
{
    LOCK(cell->runtime);
    PyObject *token = cell->listed ? Py_NewRef(cell->token) : NULL;
    UNLOCK(cell->runtime);
    return token;
}

PyObject *
ledger_entry(Cell *cell)
{
    return ledger_entry_with(cell, token_of(cell));
}

static PyObject *
entry_if_open(Cell *cell)
{
    PyObject *token = token_of(cell);
    return token == NULL ? NULL : ledger_entry_with(cell, token);
}

PyObject *
ledger_entries(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    /* A million entries would set the collector off again and again, over objects that are in no cycle. */
    int enabled = PyGC_Disable();
    PyObject *entries = collect(module, entry_if_open);
    if (enabled) {
        PyGC_Enable();
    }
    return entries;
}

PyObject *
ledger_entry_of(PyObject *module, PyObject *handle)
{
    if (!PyObject_TypeCheck(handle, runtime_of_module(module)->Handle)) {
        return PyErr_Format(PyExc_TypeError, "entry_of takes a handle, not %.200s", Py_TYPE(handle)->tp_name);
    }
    Cell *cell = ((Handle *)handle)->cell;
    return cell == NULL ? refuse_unopened(handle) : ledger_entry(cell);
}

PyObject *
ledger_counts(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    Runtime *runtime = runtime_of_module(module);
    if (runtime_import(runtime) < 0) {
        return NULL;
    }
    LOCK(runtime);
    Books books = runtime->books;
    UNLOCK(runtime);
    return PyObject_CallFunction(runtime->Counts, "KKKKKKL", books.opened, books.closed, books.detached, books.disowned,
                                 books.abandoned, books.open, (long long)books.size);
}

/* --- Forgetting. */

static void
forget_all(Runtime *runtime, pid_t owner)
{
    Cell *cell;
    while ((cell = runtime->oldest) != NULL) {
        claims_give_up(cell);
        unlist(cell);
        follow(&cell->word, DISOWN);
        cell->disowned = true;
        cell->closed_at = (int32_t)owner;
        cell_drop(cell);
    }
}

PyObject *
ledger_disown_all(PyObject *module, PyObject *Py_UNUSED(ignored))
{
    Runtime *runtime = runtime_of_module(module);
    memset(&runtime->lock, 0, sizeof runtime->lock); /* whoever held it is not in this process */
    if (queue_reset(runtime) < 0) {
        return NULL;
    }
    forget_all(runtime, getppid());
    runtime->era++; /* a thread that called a release function is not in this process either */
    runtime->books = (Books){0};
    atomic_store(&runtime->started, 0);
    Py_RETURN_NONE;
}

void
ledger_clear(Runtime *runtime)
{
    forget_all(runtime, getpid());
    PyMem_RawFree(runtime->buckets);
    runtime->buckets = NULL;
    runtime->claimed = 0;
}
