/* Parents and children: a child is a lease on its parent, and closing a parent closes its children, newest first. */
#include "ledger.h"
#include "refusal.h"

static Cell *
above(const Ties *ties)
{
    return ((Handle *)ties->parent)->cell;
}

int
family_join(Cell *cell, PyObject *parent)
{
    if (!PyObject_TypeCheck(parent, cell->runtime->Handle)) {
        PyErr_Format(PyExc_TypeError, "parent must be a handle, not %.200s", Py_TYPE(parent)->tp_name);
        return -1;
    }
    Cell *up = ((Handle *)parent)->cell;
    if (up == NULL) {
        refuse_unopened(parent);
        return -1;
    }
    Ties *ties = cell_ties(cell), *theirs = cell_ties(up);
    if (ties == NULL || theirs == NULL) {
        return -1;
    }
    if (!cell_lease(up)) {
        refuse_closed(up, "");
        return -1;
    }
    LOCK(cell->runtime);
    ties->parent = Py_NewRef(parent);
    ties->older_sibling = theirs->newest_child;
    if (theirs->newest_child != NULL) {
        theirs->newest_child->ties->newer_sibling = cell;
    }
    theirs->newest_child = cell;
    theirs->children++;
    UNLOCK(cell->runtime);
    return 0;
}

/* Out of the row of siblings. With the lock held. */
static void
unlink_sibling(Ties *ties)
{
    Ties *theirs = above(ties)->ties;
    if (ties->newer_sibling != NULL) {
        ties->newer_sibling->ties->older_sibling = ties->older_sibling;
    }
    else {
        theirs->newest_child = ties->older_sibling;
    }
    if (ties->older_sibling != NULL) {
        ties->older_sibling->ties->newer_sibling = ties->newer_sibling;
    }
    ties->older_sibling = ties->newer_sibling = NULL;
    theirs->children--;
}

int
family_leave(Cell *cell)
{
    LOCK(cell->runtime);
    PyObject *parent = cell->ties->parent;
    if (parent != NULL) {
        unlink_sibling(cell->ties);
        cell->ties->parent = NULL;
    }
    UNLOCK(cell->runtime);
    int failed = 0;
    if (parent != NULL) {
        failed = cell_back(((Handle *)parent)->cell);
        Py_DECREF(parent);
    }
    return failed;
}

void
family_forget(Cell *cell)
{
    LOCK(cell->runtime);
    if (cell->ties->parent != NULL) {
        unlink_sibling(cell->ties);
    }
    UNLOCK(cell->runtime);
}

uint64_t
family_size(const Cell *cell)
{
    return cell->ties == NULL ? 0 : cell->ties->children;
}

/* The handles of the children that somebody holds, newest first, NULL for the others; how many. -1: no memory. */
static Py_ssize_t
children_of(Cell *cell, PyObject ***handles)
{
    for (;;) {
        uint64_t room = family_size(cell);
        *handles = PyMem_New(PyObject *, room + 1);
        if (*handles == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        LOCK(cell->runtime);
        if (family_size(cell) <= room) {
            Py_ssize_t count = 0;
            for (Cell *child = cell->ties->newest_child; child != NULL; child = child->ties->older_sibling) {
                (*handles)[count++] = cell_handle(child);
            }
            UNLOCK(cell->runtime);
            return count;
        }
        UNLOCK(cell->runtime);
        PyMem_Free(*handles);
    }
}

/* As anybody would close it, so that a subclass's own ``close`` is honoured. */
static int
close_child(Handle *child)
{
    Runtime *runtime = child->cell->runtime;
    if (state_in(atomic_load(&child->cell->word)) == CLOSED) {
        return 0;
    }
    if (Py_TYPE(child) == runtime->Handle) {
        return handle_close(child, false, Py_None);
    }
    PyObject *result = PyObject_CallMethodNoArgs((PyObject *)child, runtime->names.close);
    Py_XDECREF(result);
    return result == NULL ? -1 : 0;
}

int
failures_note(PyObject **failures)
{
    PyObject *error = error_take();
    if (*failures == NULL) {
        *failures = PyList_New(0);
    }
    int failed = *failures == NULL ? -1 : PyList_Append(*failures, error);
    Py_DECREF(error);
    return failed;
}

int
family_close(Cell *cell, PyObject **failures)
{
    if (family_size(cell) == 0) {
        return 0;
    }
    PyObject **handles;
    Py_ssize_t count = children_of(cell, &handles);
    int failed = count < 0 ? -1 : 0;
    for (Py_ssize_t at = 0; at < count; at++) {
        if (handles[at] != NULL && failed == 0 && close_child((Handle *)handles[at]) < 0) {
            failed = failures_note(failures);
        }
        Py_XDECREF(handles[at]);
    }
    if (count >= 0) {
        PyMem_Free(handles);
    }
    return failed;
}
