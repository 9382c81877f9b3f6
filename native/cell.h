/* One resource: its word, its token, the way to release it, and where it began.

   A cell is held by its handle, by the ledger as long as it is open, and by the queue while it waits there. The Python
   objects in it belong to the handle, which shows them to the collector, until the handle is found unreachable: then
   the cell is orphaned and they belong to the cell alone. That is a change of one bit, so the finalizer allocates
   nothing, and what it hands over is alive by the time the collector looks again. */
#ifndef TENURE_CELL_H
#define TENURE_CELL_H

#include "lifecycle.h"

typedef struct Runtime Runtime;
typedef struct Cell Cell;

/* What few cells have: a thread they are confined to, a parent, children, somebody who waits. */
typedef struct {
    PyObject *via; /* NULL: not confined */
    unsigned long home;
    PyObject *parent; /* the handle above, on which this one is a lease; NULL: none, or left */
    Cell *newest_child;
    Cell *older_sibling, *newer_sibling;
    _Atomic(uint64_t) children;
    _Atomic(uint64_t) exports; /* buffers that see the memory: leases that are never lost, as they can be read without asking */
    PyObject *event; /* a threading.Event: somebody waits for the release */
} Ties;

struct Cell {
    Word word;
    Runtime *runtime;
    union {
        struct {
            Cell *older, *newer; /* in the ledger, while open */
        };
        struct {
            unsigned long thread; /* that calls the release function, after that */
            uintptr_t era;        /* in which it does; 0: nobody does */
        } going;
    };
    Cell *chained;           /* in the index of claimed tokens */
    Cell *behind;            /* in the queue */
    PyObject *handle;        /* not held; without the GIL a weak reference, held */
    PyObject *token;         /* NULL before it is acquired and after it is released */
    PyObject *release;
    PyObject *site;
    PyObject *kind;          /* NULL: the name of the release function */
    uint64_t hash;           /* of the token, while claimed; what it was known by in messages, once closed */
    Py_ssize_t size;
    double since;
    _Atomic(Ties *) ties;    /* NULL: none */
    PyObject *closed_code;   /* where it was closed; NULL: nobody closed it */
    int32_t closed_at;       /* the instruction there; the owner's pid, if disowned */
    _Atomic(uint32_t) holders;
    /* Written with the lock held; what is not atomic is read so too. */
    bool listed;             /* in the ledger */
    bool claimed;            /* in the index of claimed tokens */
    bool queued;             /* waits in the queue */
    _Atomic(bool) orphaned;  /* owns its Python objects, as no handle does */
    bool leaked;             /* abandoned, and not reported yet */
    bool owed;               /* one lease is still to be given back, by the safety net */
    _Atomic(bool) disowned;
    bool job;                /* no resource: something to call, which waits in the queue as ``release`` */
};

/* A handle, and what every subclass in C begins with. */
typedef struct {
    PyObject_HEAD
    Cell *cell; /* NULL: never opened */
    PyObject *weak;
} Handle;

/* What a handle is opened with; borrowed. */
typedef struct {
    PyObject *release, *kind, *parent, *via;
    Py_ssize_t size;
    bool shared;
} Options;

/* A right to use the token. False: refused, with nothing raised (see ``refuse_closed``). No thread check. */
static inline bool
cell_lease(Cell *cell)
{
    return follow(&cell->word, LEASE) != REFUSE;
}

/* Give a lease back; the last one on a closing handle releases. -1: the release raised.
   The caller holds the handle, or the cell. Never call it in a finalizer or dealloc: see ``cell_unlease_later``. */
int cell_back(Cell *cell);

/* The same for a lease that a Python object stands for. Every such object holds the handle; so when nobody holds the
   handle the leases are lost with it, and have been given back by ``cell_abandon`` already. */
int cell_unlease(Cell *cell);
/* The same where no release may run: the last lease on a closing handle is left to the safety net to give back. */
void cell_unlease_later(Cell *cell);

/* A lease for an exported buffer. The cell has ties. False: refused, with nothing raised. */
bool cell_export(Cell *cell);
void cell_unexport(Cell *cell);
/* Do at once what was left to the safety net, if anything is owed. -1: the release raised. */
int cell_pay(Cell *cell);

/* A new cell of one holder, not yet open; NULL and an exception if there is no memory. */
Cell *cell_new(Runtime *runtime);
void cell_hold(Cell *cell);
void cell_drop(Cell *cell);

/* The ties of a cell, made when first asked for; NULL and an exception if there is no memory. */
Ties *cell_ties(Cell *cell);

/* The handle, if anybody holds it; a new reference, or NULL with nothing raised. */
PyObject *cell_handle(Cell *cell);

/* What the arrow to CLOSED still asks for: call the release function with the token, wake who waits, leave the parent,
   and release that if it was closing and this its last child. The caller has just taken that arrow, so nobody else
   will. -1: a release raised. */
int cell_release(Cell *cell);

/* Become CLOSED without a release. The answer is the token, now the caller's, or NULL with nothing raised. */
PyObject *cell_disown(Cell *cell);

/* After the token is gone: wake who waits, leave the parent. -1: the release of the parent, or of its, raised. */
int cell_end(Cell *cell);

/* Nobody holds the handle any more: hand the cell to the safety net. Allocates nothing, runs nobody's code. */
void cell_abandon(Cell *cell);

/* Remember the line that closes it. */
void cell_mark_closed(Cell *cell);

/* Become a child of ``parent``: one lease on it, and a place among its children. */
int family_join(Cell *cell, PyObject *parent);
/* Stop being a child. The parent, held, on which the lease is the caller's to give back; NULL: none, or left before. */
PyObject *family_leave(Cell *cell);
/* The cell is about to be freed: out of the row of siblings, whatever it left undone. */
void family_forget(Cell *cell);
uint64_t family_size(const Cell *cell);

/* A stack of handles, held; NULL for those that nobody else held any more. */
typedef struct {
    PyObject **items;
    size_t count, room;
} Handles;

/* Put the children on top, the newest last. -1: no memory. */
int family_push(Handles *handles, Cell *cell);


/* Everything about a handle but its token, so that nothing can fail once there is one. NULL: an exception. */
Cell *handle_prepare(Runtime *runtime, Handle *handle, const Options *options);
/* Take the token (stolen; NULL: making it raised) into the ledger, or leave nothing behind. ``factory`` is named
   if there was no token; NULL: there is none. */
int handle_acquire(Cell *cell, PyObject *token, PyObject *factory, bool shared);
/* ``Handle.own`` of a class, or a subclass of it. */
PyObject *handle_own_with(Runtime *runtime, PyTypeObject *type, PyObject *const *args, Py_ssize_t count,
                          const Options *options);
/* ``close()``, with its line. */
int handle_close(Handle *handle, bool wait, PyObject *timeout);
/* The methods ``close`` and ``detach``. */
PyObject *handle_close_method(Handle *self, PyObject *const *args, Py_ssize_t count, PyObject *names);
PyObject *handle_detach(Handle *self, PyObject *ignored);
/* Close what is open below, newest first. Failures go to the list, made when first needed. -1: no memory. */
int close_below(Cell *cell, PyObject **failures);
/* The raised exception joins the others, in a list made when first needed. -1: no memory. */
int failures_note(PyObject **failures);

#endif
