/* The field whose distinct values are counted, read back out of sealed rows. */
#ifndef TENURE_PIPELINE_MARKS_H
#define TENURE_PIPELINE_MARKS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

PyDoc_STRVAR(marks_doc, "marks(library, key, counted, height, numbers, values, ends, data, rows, out, /)\n--\n\n"
                        "Put the mark of each of these rows of a frame, all sealed under one key, into ``out``; how "
                        "many there are before one that is refused.");

PyObject *marks_read(PyObject *module, PyObject *args);

#endif
