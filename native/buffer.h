/* Owned memory: a handle whose token is an address, and whose every exported view is a lease. */
#ifndef TENURE_BUFFER_H
#define TENURE_BUFFER_H

#include "runtime.h"

PyTypeObject *buffer_type(PyObject *module);
PyTypeObject *view_lease_type(PyObject *module);
/* The release function of memory that a buffer allocated. */
PyObject *buffer_free_function(void);

#endif
