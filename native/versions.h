/* What differs between the CPythons this is built for: 3.11 to 3.13, with and without the GIL. */
#ifndef TENURE_VERSIONS_H
#define TENURE_VERSIONS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Under the GIL the books are guarded by it, as nothing between LOCK and UNLOCK runs Python code, allocates from
   Python or drops a reference. Without it a mutex guards them, under the same rule: so no finalizer can ever meet a
   lock of its own thread. */
#ifdef Py_GIL_DISABLED
typedef PyMutex Lock;
#define LOCK(runtime) PyMutex_Lock(&(runtime)->lock)
#define UNLOCK(runtime) PyMutex_Unlock(&(runtime)->lock)
#else
typedef char Lock;
#define LOCK(runtime) ((void)(runtime))
#define UNLOCK(runtime) ((void)(runtime))
#endif

/* The raised exception, as one object, out of the thread state and back into it. */
static inline PyObject *
error_take(void)
{
#if PY_VERSION_HEX >= 0x030C0000
    return PyErr_GetRaisedException();
#else
    PyObject *kind, *error, *trace;
    PyErr_Fetch(&kind, &error, &trace);
    if (kind == NULL) {
        return NULL;
    }
    PyErr_NormalizeException(&kind, &error, &trace);
    if (trace != NULL) {
        PyException_SetTraceback(error, trace);
        Py_DECREF(trace);
    }
    Py_DECREF(kind);
    return error;
#endif
}

/* Two exceptions in one, the older as the context of the newer; steals both, either may be NULL. */
static inline PyObject *
error_after(PyObject *older, PyObject *newer)
{
    if (newer == NULL || newer == older) {
        Py_XDECREF(newer);
        return older;
    }
    if (older != NULL) {
        PyException_SetContext(newer, older);
    }
    return newer;
}

/* Steals ``error``; NULL raises nothing. An exception raised meanwhile stays, with ``error`` as its context. */
static inline void
error_put(PyObject *error)
{
    if (error == NULL) {
        return;
    }
    error = error_after(error, error_take());
#if PY_VERSION_HEX >= 0x030C0000
    PyErr_SetRaisedException(error);
#else
    PyErr_Restore(Py_NewRef(Py_TYPE(error)), error, PyException_GetTraceback(error));
#endif
}

#endif
