/* Parents and children: a child is a lease on its parent, and stands in the row of its siblings. */
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

PyObject *
family_leave(Cell *cell)
{
    LOCK(cell->runtime);
    PyObject *parent = cell->ties->parent;
    if (parent != NULL) {
        unlink_sibling(cell->ties);
        cell->ties->parent = NULL;
    }
    UNLOCK(cell->runtime);
    return parent;
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

static int
make_room(Handles *handles, size_t more)
{
    size_t wanted = handles->count + more;
    if (wanted <= handles->room) {
        return 0;
    }
    PyObject **items = PyMem_Realloc(handles->items, 2 * wanted * sizeof(PyObject *));
    if (items == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    handles->items = items;
    handles->room = 2 * wanted;
    return 0;
}

int
family_push(Handles *handles, Cell *cell)
{
    for (;;) {
        uint64_t wanted = family_size(cell);
        if (wanted == 0 || make_room(handles, wanted) < 0) {
            return wanted == 0 ? 0 : -1;
        }
        LOCK(cell->runtime);
        uint64_t count = family_size(cell);
        if (count <= wanted) {
            PyObject **at = handles->items + handles->count + count;
            for (Cell *child = cell->ties->newest_child; child != NULL; child = child->ties->older_sibling) {
                *--at = cell_handle(child);
            }
            handles->count += count;
        }
        UNLOCK(cell->runtime);
        if (count <= wanted) {
            return 0;
        }
    }
}
