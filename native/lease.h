/* A right to use a handle, which puts off its release. */
#ifndef TENURE_LEASE_H
#define TENURE_LEASE_H

#include "runtime.h"

PyTypeObject *lease_type(PyObject *module);
/* The object for a lease that has just been taken on the cell of ``handle``. */
PyObject *lease_new(Runtime *runtime, Handle *handle);
/* Free the leases that wait to be used again. */
void leases_clear(Runtime *runtime);

#endif
