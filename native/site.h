/* The line that opens or closes a handle, as code objects and instruction offsets. */
#ifndef TENURE_SITE_H
#define TENURE_SITE_H

#include "runtime.h"

/* The ``Site`` of the Python frames that are running, at most ``depth`` of them; a new reference.
   ``outside``: from the first that is not of this package. */
PyObject *site_capture(Runtime *runtime, int depth, bool outside);
/* The innermost frame: its code (a new reference, NULL if there is none) and the instruction. */
PyObject *site_here(int *lasti);
void sites_clear(Runtime *runtime);

#endif
