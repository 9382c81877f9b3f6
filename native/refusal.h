/* The errors, raised with the facts that ``tenure.errors`` makes its messages of. */
#ifndef TENURE_REFUSAL_H
#define TENURE_REFUSAL_H

#include "runtime.h"

/* Each raises and answers NULL, for the caller to pass on. */
PyObject *refuse_unopened(PyObject *handle);
PyObject *refuse_closed(Cell *cell, const char *prefix);
PyObject *refuse_leased(Cell *cell, const char *act);
PyObject *refuse_again(Cell *cell);
PyObject *refuse_thread(Cell *cell, const char *act);
PyObject *refuse_owned(Cell *cell, Cell *other);
PyObject *refuse_no_token(Cell *cell, PyObject *factory);
PyObject *refuse_waiting(Cell *cell, PyObject *timeout);
/* One failure as itself, several as a group; steals the list. */
PyObject *refuse_together(PyObject *failures);

/* ``kind handle 0x…``, as messages name it. */
PyObject *cell_which(Cell *cell);
/* The kind; a new reference. */
PyObject *cell_kind(Cell *cell);

/* Whether the handle is confined to another thread; then ``WrongThread`` has been raised. */
static inline bool
refused_here(Cell *cell, const char *act)
{
    Ties *ties = cell->ties;
    if (ties == NULL || ties->via == NULL || ties->home == PyThread_get_thread_ident()) {
        return false;
    }
    refuse_thread(cell, act);
    return true;
}

#endif
