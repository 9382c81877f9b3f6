/* Where finalizers leave cells for the release thread. */
#ifndef TENURE_QUEUE_H
#define TENURE_QUEUE_H

#include "runtime.h"

/* Put the cell at the end, holding it. With the lock held; allocates nothing. */
void queue_put(Cell *cell);
/* Drop all that waits. */
void queue_clear(Runtime *runtime);
/* The same in a forked child, where nobody sleeps. -1: no memory for a new bell. */
int queue_reset(Runtime *runtime);

PyTypeObject *queue_type(PyObject *module);
PyObject *queue_new(Runtime *runtime);

#endif
