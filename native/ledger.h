/* The books of what is open: a list in order of opening. */
#ifndef TENURE_LEDGER_H
#define TENURE_LEDGER_H

#include "runtime.h"

/* Write the cell down as open with ``token``, which it steals. Nothing can fail and no Python code runs. */
void ledger_enter(Cell *cell, PyObject *token);
/* Take the token out, counting ``*book``; the caller's now, or NULL if it is gone. */
PyObject *ledger_take(Cell *cell, uint64_t *book);
/* The same for who calls the release function with it, and says ``ledger_released`` after that. */
PyObject *ledger_take_to_release(Cell *cell);
void ledger_released(Cell *cell);
/* Whether the token is still to be released, or that is going on in another thread. */
bool ledger_is_pending(Cell *cell);

PyObject *ledger_entry(Cell *cell);
/* The same as if ``token``, which it steals and which may be NULL, were still there. */
PyObject *ledger_entry_with(Cell *cell, PyObject *token);
PyObject *ledger_entries(PyObject *module, PyObject *ignored);
PyObject *ledger_handles(PyObject *module, PyObject *ignored);
PyObject *ledger_entry_of(PyObject *module, PyObject *handle);
PyObject *ledger_counts(PyObject *module, PyObject *ignored);
PyObject *ledger_disown_all(PyObject *module, PyObject *ignored);
/* At the end of the interpreter: forget every cell. */
void ledger_clear(Runtime *runtime);

#endif
