/* What is left of a handle that nobody holds. */
#ifndef TENURE_REMAINS_H
#define TENURE_REMAINS_H

#include "runtime.h"

PyTypeObject *remains_type(PyObject *module);
/* Of a cell that was taken from the queue, whose hold it steals; NULL and an exception if there is no memory. */
PyObject *remains_new(Runtime *runtime, Cell *cell);

#endif
