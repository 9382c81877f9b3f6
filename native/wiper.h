/* Release functions for secrets: they fill memory with zeros before it is used again. */
#ifndef TENURE_WIPER_H
#define TENURE_WIPER_H

#include "runtime.h"

/* wiper(size, put): a function of an address. */
PyObject *wiper(PyObject *module, PyObject *args);

#endif
