/* What a handle is opened with, read from a call's keyword arguments. */
#include "options.h"

typedef int (*Setter)(Options *options, PyObject *value);

static int
set_release(Options *options, PyObject *value)
{
    options->release = value;
    return 0;
}

static int
set_parent(Options *options, PyObject *value)
{
    options->parent = value;
    return 0;
}

static int
set_via(Options *options, PyObject *value)
{
    if (value != Py_None && !PyCallable_Check(value)) {
        PyErr_Format(PyExc_TypeError, "via must be callable, not %.200s", Py_TYPE(value)->tp_name);
        return -1;
    }
    options->via = value;
    return 0;
}

static int
set_size(Options *options, PyObject *value)
{
    if (!PyLong_Check(value)) {
        PyErr_Format(PyExc_TypeError, "size must be an int, not %.200s", Py_TYPE(value)->tp_name);
        return -1;
    }
    options->size = PyLong_AsSsize_t(value);
    if (options->size < 0 && !PyErr_Occurred()) {
        PyErr_Format(PyExc_ValueError, "size must be 0 bytes or more, not %zd", options->size);
    }
    return options->size < 0 ? -1 : 0;
}

static int
set_shared(Options *options, PyObject *value)
{
    int truth = PyObject_IsTrue(value);
    options->shared = truth > 0;
    return truth < 0 ? -1 : 0;
}

int
options_check_kind(PyObject *kind)
{
    if (kind == NULL || kind == Py_None || PyUnicode_Check(kind)) {
        return 0;
    }
    PyErr_Format(PyExc_TypeError, "kind must be a str, not %.200s", Py_TYPE(kind)->tp_name);
    return -1;
}

static int
set_kind(Options *options, PyObject *value)
{
    options->kind = value;
    return options_check_kind(value);
}

/* The keywords, the most used first. */
static const struct {
    size_t name; /* where it stands in Names */
    Setter set;
} KEYWORDS[] = {
    {offsetof(Names, release), set_release}, {offsetof(Names, kind), set_kind},
    {offsetof(Names, size), set_size},       {offsetof(Names, parent), set_parent},
    {offsetof(Names, via), set_via},         {offsetof(Names, shared), set_shared},
};

enum { KEYWORD_COUNT = sizeof KEYWORDS / sizeof KEYWORDS[0] };

static PyObject *
name_at(const Names *names, int at)
{
    return *(PyObject *const *)((const char *)names + KEYWORDS[at].name);
}

static int
set(Options *options, const Names *names, PyObject *name, PyObject *value)
{
    /* Names written in source are interned, so one of ours is the same object; others are compared by their text. */
    for (int at = 0; at < KEYWORD_COUNT; at++) {
        if (name == name_at(names, at)) {
            return KEYWORDS[at].set(options, value);
        }
    }
    for (int at = 0; at < KEYWORD_COUNT; at++) {
        if (PyUnicode_Compare(name, name_at(names, at)) == 0) {
            return KEYWORDS[at].set(options, value);
        }
    }
    PyErr_Format(PyExc_TypeError, "got an unexpected keyword argument '%U'", name);
    return -1;
}

int
options_from_names(Options *options, Runtime *runtime, PyObject *const *values, PyObject *names)
{
    *options = (Options){0};
    Py_ssize_t count = names == NULL ? 0 : PyTuple_GET_SIZE(names);
    for (Py_ssize_t at = 0; at < count; at++) {
        if (set(options, &runtime->names, PyTuple_GET_ITEM(names, at), values[at]) < 0) {
            return -1;
        }
    }
    return 0;
}

int
options_from_dict(Options *options, Runtime *runtime, PyObject *given)
{
    *options = (Options){0};
    PyObject *name, *value;
    Py_ssize_t at = 0;
    while (given != NULL && PyDict_Next(given, &at, &name, &value)) {
        if (set(options, &runtime->names, name, value) < 0) {
            return -1;
        }
    }
    return 0;
}
