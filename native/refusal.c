/* The errors, raised with the facts that ``tenure.errors`` makes its messages of. */
#include "refusal.h"

/* Raise ``tenure.errors.<name>(**facts)``; steals the facts, NULL if making them raised. */
static PyObject *
raise_error(Runtime *runtime, const char *name, PyObject *facts)
{
    PyObject *cls = facts == NULL ? NULL : PyObject_GetAttrString(runtime->errors, name);
    PyObject *nothing = PyTuple_New(0);
    PyObject *error = cls == NULL || nothing == NULL ? NULL : PyObject_Call(cls, nothing, facts);
    if (error != NULL) {
        PyErr_SetObject(cls, error);
    }
    Py_XDECREF(error);
    Py_XDECREF(nothing);
    Py_XDECREF(cls);
    Py_XDECREF(facts);
    return NULL;
}

/* A function as messages name it: its name, or that of its class. */
static PyObject *
name_of(Runtime *runtime, PyObject *function)
{
    PyObject *name = PyObject_GetAttr(function, runtime->names.__name__);
    if (name != NULL && PyUnicode_Check(name) && PyUnicode_GET_LENGTH(name) > 0) {
        return name;
    }
    PyErr_Clear();
    Py_XDECREF(name);
    return PyObject_GetAttr((PyObject *)Py_TYPE(function), runtime->names.__name__);
}

PyObject *
cell_kind(Cell *cell)
{
    if (cell->kind != NULL) {
        return Py_NewRef(cell->kind);
    }
    if (cell->release == NULL) {
        return PyUnicode_FromString("unknown");
    }
    return name_of(cell->runtime, cell->release);
}

/* The address of the token, or of the one it had when somebody closed it; NULL and nothing raised: neither. */
static PyObject *
address_of(Cell *cell)
{
    LOCK(cell->runtime);
    PyObject *token = cell->listed ? Py_NewRef(cell->token) : NULL;
    bool known = cell->closed_code != NULL;
    long long last = (long long)cell->hash;
    UNLOCK(cell->runtime);
    if (token == NULL) {
        return known ? PyLong_FromLongLong(last) : NULL;
    }
    PyObject *address = PyLong_CheckExact(token) ? Py_NewRef(token) : PyLong_FromVoidPtr(token);
    Py_DECREF(token);
    return address;
}

static PyObject *
address_told(Cell *cell)
{
    PyObject *address = address_of(cell);
    PyObject *told = address == NULL ? NULL : PyNumber_ToBase(address, 16);
    Py_XDECREF(address);
    return told;
}

PyObject *
cell_which(Cell *cell)
{
    PyObject *kind = cell_kind(cell);
    PyObject *address = kind == NULL ? NULL : address_told(cell);
    PyObject *which = NULL;
    if (address != NULL) {
        which = PyUnicode_FromFormat("%U handle %U", kind, address);
    }
    else if (kind != NULL && !PyErr_Occurred()) {
        which = PyUnicode_FromFormat("%U handle", kind);
    }
    Py_XDECREF(address);
    Py_XDECREF(kind);
    return which;
}

/* ``file:line in function``, or what stands for nobody. */
static PyObject *
closed_told(Cell *cell)
{
    LOCK(cell->runtime);
    PyObject *code = Py_XNewRef(cell->closed_code);
    int lasti = cell->closed_at;
    UNLOCK(cell->runtime);
    if (code == NULL) {
        return PyUnicode_FromString("the moment nobody held it any more");
    }
    Names *names = &cell->runtime->names;
    PyObject *line = PyObject_CallFunction(cell->runtime->line_of, "Oi", code, lasti);
    PyObject *file = line == NULL ? NULL : PyObject_GetAttr(code, names->co_filename);
    PyObject *function = file == NULL ? NULL : PyObject_GetAttr(code, names->co_name);
    PyObject *told = function == NULL ? NULL : PyUnicode_FromFormat("%U:%S in %U", file, line, function);
    Py_XDECREF(function);
    Py_XDECREF(file);
    Py_XDECREF(line);
    Py_DECREF(code);
    return told;
}

PyObject *
refuse_unopened(PyObject *handle)
{
    return PyErr_Format(PyExc_AttributeError, "this %.200s was never opened: call super().__init__(factory, release=...)",
                        Py_TYPE(handle)->tp_name);
}

PyObject *
refuse_closed(Cell *cell, const char *prefix)
{
    PyObject *which = cell_which(cell);
    if (which == NULL) {
        return NULL;
    }
    if (cell->disowned) {
        return raise_error(cell->runtime, "DisownedHandle",
                           Py_BuildValue("{sNsOsi}", "which", which, "opened", cell->site, "owner", cell->closed_at));
    }
    PyObject *closed = closed_told(cell);
    PyObject *named = closed == NULL ? NULL : PyUnicode_FromFormat("%s%U", prefix, which);
    Py_DECREF(which);
    if (named == NULL) {
        Py_XDECREF(closed);
        return NULL;
    }
    return raise_error(cell->runtime, "ClosedHandle",
                       Py_BuildValue("{sNsOsN}", "which", named, "opened", cell->site, "closed", closed));
}

PyObject *
refuse_leased(Cell *cell, const char *act)
{
    PyObject *which = cell_which(cell);
    return which == NULL ? NULL
                         : raise_error(cell->runtime, "LeasedHandle",
                                       Py_BuildValue("{sNsOsKss}", "which", which, "opened", cell->site, "leases",
                                                     leases_in(atomic_load(&cell->word)), "act", act));
}

PyObject *
refuse_again(Cell *cell)
{
    PyObject *which = cell_which(cell);
    PyObject *closed = which == NULL ? NULL : closed_told(cell);
    if (closed == NULL) {
        Py_XDECREF(which);
        return NULL;
    }
    return raise_error(cell->runtime, "AlreadyClosed",
                       Py_BuildValue("{sNsOsN}", "which", which, "opened", cell->site, "closed", closed));
}

/* The name of a running thread, or its number. */
static PyObject *
thread_name(Runtime *runtime, PyObject *threads, PyObject *ident)
{
    for (Py_ssize_t at = 0; at < PyList_GET_SIZE(threads); at++) {
        PyObject *thread = PyList_GET_ITEM(threads, at);
        PyObject *theirs = PyObject_GetAttr(thread, runtime->names.ident);
        int same = theirs == NULL ? -1 : PyObject_RichCompareBool(theirs, ident, Py_EQ);
        Py_XDECREF(theirs);
        if (same != 0) {
            return same < 0 ? NULL : PyObject_GetAttr(thread, runtime->names.name);
        }
    }
    return Py_NewRef(ident);
}

static PyObject *
thread_told(Runtime *runtime, unsigned long ident)
{
    PyObject *threads = PyObject_CallMethod(runtime->threading, "enumerate", NULL);
    PyObject *number = threads == NULL ? NULL : PyLong_FromUnsignedLong(ident);
    PyObject *name = number == NULL || !PyList_Check(threads) ? NULL : thread_name(runtime, threads, number);
    Py_XDECREF(number);
    Py_XDECREF(threads);
    return name;
}

PyObject *
refuse_thread(Cell *cell, const char *act)
{
    Runtime *runtime = cell->runtime;
    PyObject *which = cell_which(cell);
    PyObject *home = which == NULL ? NULL : thread_told(runtime, cell->ties->home);
    PyObject *here = home == NULL ? NULL : thread_told(runtime, PyThread_get_thread_ident());
    if (here == NULL) {
        Py_XDECREF(home);
        Py_XDECREF(which);
        return NULL;
    }
    return raise_error(runtime, "WrongThread",
                       Py_BuildValue("{sNsOsNsNss}", "which", which, "opened", cell->site, "owner", home, "thread",
                                     here, "act", act));
}

PyObject *
refuse_owned(Cell *cell, Cell *other)
{
    PyObject *which = cell_which(cell);
    return which == NULL ? NULL
                         : raise_error(cell->runtime, "AlreadyOwned",
                                       Py_BuildValue("{sNsOsO}", "which", which, "opened", other->site, "site",
                                                     cell->site));
}

PyObject *
refuse_no_token(Cell *cell, PyObject *factory)
{
    PyObject *name = factory == NULL ? PyUnicode_FromString("own") : name_of(cell->runtime, factory);
    return name == NULL ? NULL
                        : raise_error(cell->runtime, "NoToken",
                                      Py_BuildValue("{sNsO}", "factory", name, "site", cell->site));
}

PyObject *
refuse_waiting(Cell *cell, PyObject *timeout)
{
    PyObject *which = cell_which(cell);
    return which == NULL ? NULL
                         : raise_error(cell->runtime, "CloseTimeout",
                                       Py_BuildValue("{sNsOsKsO}", "which", which, "opened", cell->site, "leases",
                                                     leases_in(atomic_load(&cell->word)), "timeout", timeout));
}

PyObject *
refuse_together(PyObject *failures)
{
    PyObject *error;
    if (PyList_GET_SIZE(failures) == 1) {
        error = Py_NewRef(PyList_GET_ITEM(failures, 0));
    }
    else {
        error = PyObject_CallFunction(PyExc_BaseExceptionGroup, "sO", "several releases failed", failures);
    }
    Py_DECREF(failures);
    if (error != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
        Py_DECREF(error);
    }
    return NULL;
}
