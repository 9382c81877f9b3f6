/* What a handle is opened with, read from a call's keyword arguments. */
#ifndef TENURE_OPTIONS_H
#define TENURE_OPTIONS_H

#include "runtime.h"

/* -1 and an exception unless it is a string, None or missing. */
int options_check_kind(PyObject *kind);
/* Each answers -1 and an exception for a keyword that is none of ours, or a value of the wrong type. */
int options_from_names(Options *options, Runtime *runtime, PyObject *const *values, PyObject *names);
int options_from_dict(Options *options, Runtime *runtime, PyObject *given);

#endif
