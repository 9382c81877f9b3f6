/* The lifecycle as plain numbers, for whoever wants to compare it. */
#include "lifecycle.h"

static int
put_arrow(PyObject *table, int state, int event)
{
    Arrow arrow = ARROWS[state][event];
    PyObject *key = Py_BuildValue("(ii)", state, event);
    PyObject *value = Py_BuildValue("(ii)", arrow.state, arrow.effect);
    int failed = key == NULL || value == NULL ? -1 : PyDict_SetItem(table, key, value);
    Py_XDECREF(key);
    Py_XDECREF(value);
    return failed;
}

PyObject *
lifecycle_table(PyObject *Py_UNUSED(module), PyObject *Py_UNUSED(ignored))
{
    PyObject *table = PyDict_New();
    for (int at = 0; table != NULL && at < STATES * EVENTS; at++) {
        if (put_arrow(table, at / EVENTS, at % EVENTS) < 0) {
            Py_CLEAR(table);
        }
    }
    return table;
}
