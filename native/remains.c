/* What is left of a handle that nobody holds: enough to report it and to release it. */
#include "remains.h"

#include "ledger.h"
#include "refusal.h"

typedef struct {
    PyObject_HEAD
    Cell *cell;
    bool leaked;
} Remains;

PyObject *
remains_new(Runtime *runtime, Cell *cell)
{
    Remains *remains = (Remains *)runtime->Remains->tp_alloc(runtime->Remains, 0);
    if (remains == NULL) {
        cell_drop(cell);
        return NULL;
    }
    LOCK(runtime);
    remains->leaked = cell->leaked;
    cell->leaked = false;
    UNLOCK(runtime);
    remains->cell = cell;
    return (PyObject *)remains;
}

static void
remains_dealloc(Remains *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    cell_drop(self->cell);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *
remains_entry(Remains *self, void *Py_UNUSED(closure))
{
    return ledger_entry(self->cell);
}

static PyObject *
remains_leaked(Remains *self, void *Py_UNUSED(closure))
{
    return PyBool_FromLong(self->leaked);
}

static PyObject *
remains_via(Remains *self, void *Py_UNUSED(closure))
{
    Ties *ties = self->cell->ties;
    return Py_NewRef(ties != NULL && ties->via != NULL ? ties->via : Py_None);
}

static PyObject *
remains_close(Remains *self, PyObject *Py_UNUSED(ignored))
{
    PyObject *failures = NULL;
    if (close_below(self->cell, &failures) < 0) {
        Py_XDECREF(failures);
        return NULL;
    }
    int failed = cell_pay(self->cell);
    if (failed == 0 && follow(&self->cell->word, CLOSE) == RELEASE) {
        failed = cell_release(self->cell);
    }
    if (failed < 0 && failures_note(&failures) < 0) {
        Py_XDECREF(failures);
        return NULL;
    }
    return failures != NULL ? refuse_together(failures) : Py_NewRef(Py_None);
}

static PyObject *
remains_disown(Remains *self, PyObject *Py_UNUSED(ignored))
{
    Py_XDECREF(cell_disown(self->cell));
    if (cell_end(self->cell) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
remains_ghost(Remains *self, PyObject *Py_UNUSED(ignored))
{
    LOCK(self->cell->runtime);
    PyObject *handle = self->leaked ? cell_handle(self->cell) : NULL;
    UNLOCK(self->cell->runtime);
    return handle != NULL ? handle : Py_NewRef(Py_None);
}

static int
remains_traverse(PyObject *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    return 0;
}

static PyGetSetDef remains_getset[] = {
    {"entry", (getter)remains_entry, NULL, PyDoc_STR("What the ledger says of it."), NULL},
    {"leaked", (getter)remains_leaked, NULL, PyDoc_STR("Whether it was abandoned, rather than closed and let go."), NULL},
    {"via", (getter)remains_via, NULL, PyDoc_STR("Through whom it must be released, if it is confined."), NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef remains_methods[] = {
    {"close", (PyCFunction)(void (*)(void))remains_close, METH_NOARGS,
     PyDoc_STR("close($self, /)\n--\n\nRelease the token, once, unless a lease is out: the last one back does it.")},
    {"disown", (PyCFunction)(void (*)(void))remains_disown, METH_NOARGS,
     PyDoc_STR("disown($self, /)\n--\n\nEnd the ownership without a release.")},
    {"ghost", (PyCFunction)(void (*)(void))remains_ghost, METH_NOARGS,
     PyDoc_STR("ghost($self, /)\n--\n\nThe handle itself, if somebody holds it again after all.")},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot remains_slots[] = {
    {Py_tp_doc, (void *)PyDoc_STR("What is left of a handle that nobody holds.")},
    {Py_tp_dealloc, (void *)remains_dealloc},
    {Py_tp_traverse, (void *)remains_traverse},
    {Py_tp_methods, remains_methods},
    {Py_tp_getset, remains_getset},
    {0, NULL},
};

static PyType_Spec remains_spec = {
    .name = "tenure._native.Remains",
    .basicsize = sizeof(Remains),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = remains_slots,
};

PyTypeObject *
remains_type(PyObject *module)
{
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &remains_spec, NULL);
}
