/* The owner of one token and of the one way to release it. */
#ifndef TENURE_HANDLE_H
#define TENURE_HANDLE_H

#include "runtime.h"

PyTypeObject *handle_type(PyObject *module);

#endif
