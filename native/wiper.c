/* Release functions for secrets: they fill memory with zeros before it is used again.

   In one call into C, so that no signal handler can raise between the end of the ownership and the end of the wipe. */
#include "wiper.h"

#include <string.h>

/* ``self`` is what ``wiper`` was given: the size, and whom to give the address. */
static PyObject *
wipe(PyObject *self, PyObject *address)
{
    void *memory = PyLong_AsVoidPtr(address);
    Py_ssize_t size = PyLong_AsSsize_t(PyTuple_GET_ITEM(self, 0));
    if (PyErr_Occurred()) {
        return NULL;
    }
    explicit_bzero(memory, (size_t)size);
    return PyObject_CallOneArg(PyTuple_GET_ITEM(self, 1), address);
}

static PyMethodDef wipe_def = {"wipe", wipe, METH_O, PyDoc_STR("wipe($self, address, /)\n--\n\nWipe, and give back.")};

PyObject *
wiper(PyObject *Py_UNUSED(module), PyObject *args)
{
    Py_ssize_t size;
    PyObject *put;
    if (!PyArg_ParseTuple(args, "nO:wiper", &size, &put)) {
        return NULL;
    }
    PyObject *self = Py_BuildValue("(nO)", size, put);
    PyObject *function = self == NULL ? NULL : PyCFunction_New(&wipe_def, self);
    Py_XDECREF(self);
    return function;
}
