/* A right to use a handle, which puts off its release.

   Leases come and go with every use, so a few that are done with are parked and used again. */
#include "lease.h"

#include "refusal.h"

typedef struct {
    PyObject_HEAD
    Handle *handle;
    PyObject *weak;
    _Atomic(bool) out;
} Lease;

#ifdef Py_GIL_DISABLED
/* Objects that threads may still be looking at cannot be used again. */
static Lease *
unpark(Runtime *Py_UNUSED(runtime))
{
    return NULL;
}

static bool
park(Runtime *Py_UNUSED(runtime), Lease *Py_UNUSED(lease))
{
    return false;
}
#else
static Lease *
unpark(Runtime *runtime)
{
    if (runtime->parked_count == 0) {
        return NULL;
    }
    PyObject *lease = runtime->parked[--runtime->parked_count];
    return (Lease *)PyObject_Init(lease, runtime->Lease);
}

/* It no longer counts as an object, and holds no type. */
static bool
park(Runtime *runtime, Lease *lease)
{
    /* The collector finalizes an object once; one it has been at must not live again. Nor must any outlast its type. */
    if (runtime->parked_count == PARKED_LEASES || runtime->Lease == NULL ||
        PyObject_GC_IsFinalized((PyObject *)lease)) {
        return false;
    }
    runtime->parked[runtime->parked_count++] = (PyObject *)lease;
    return true;
}
#endif

void
leases_clear(Runtime *runtime)
{
    while (runtime->parked_count > 0) {
        PyObject_GC_Del(runtime->parked[--runtime->parked_count]);
    }
}

PyObject *
lease_new(Runtime *runtime, Handle *handle)
{
    Lease *lease = unpark(runtime);
    if (lease == NULL) {
        lease = PyObject_GC_New(Lease, runtime->Lease);
    }
    if (lease == NULL) {
        cell_back(handle->cell);
        return NULL;
    }
    lease->handle = (Handle *)Py_NewRef((PyObject *)handle);
    lease->weak = NULL;
    atomic_init(&lease->out, true);
    PyObject_GC_Track(lease);
    return (PyObject *)lease;
}

/* Whether it was out; it is not any more. */
static inline bool
end(Lease *self)
{
#ifdef Py_GIL_DISABLED
    return atomic_exchange_explicit(&self->out, false, memory_order_acq_rel);
#else
    bool out = atomic_load_explicit(&self->out, memory_order_relaxed);
    atomic_store_explicit(&self->out, false, memory_order_relaxed);
    return out;
#endif
}

/* Nobody gave it back, and it may be the collector that finds out: the release is the safety net's. */
static void
lease_finalize(Lease *self)
{
    if (self->handle != NULL && end(self)) {
        cell_unlease_later(self->handle->cell);
    }
}

static int
lease_traverse(Lease *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->handle);
    return 0;
}

static void
lease_dealloc(Lease *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Handle *handle = self->handle;
    PyObject_GC_UnTrack(self);
    lease_finalize(self);
    if (self->weak != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    if (!park(handle->cell->runtime, self)) {
        PyObject_GC_Del(self);
    }
    Py_DECREF(handle);
    Py_DECREF(type);
}

static PyObject *
lease_give_back(Lease *self, PyObject *Py_UNUSED(ignored))
{
    if (end(self) && cell_unlease(self->handle->cell) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
lease_token(Lease *self, void *Py_UNUSED(closure))
{
    if (!atomic_load_explicit(&self->out, memory_order_relaxed) || self->handle->cell->orphaned) {
        return refuse_closed(self->handle->cell, "the lease of ");
    }
    /* Invariant: while a lease is out nothing takes the token. */
    return Py_NewRef(self->handle->cell->token);
}

static PyObject *
lease_enter(Lease *self, PyObject *Py_UNUSED(ignored))
{
    return lease_token(self, NULL);
}

static PyObject *
lease_exit(Lease *self, PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(count))
{
    return lease_give_back(self, NULL);
}

static PyObject *
lease_new_refused(PyTypeObject *Py_UNUSED(type), PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(given))
{
    PyErr_SetString(PyExc_TypeError, "a lease is made by handle.lease()");
    return NULL;
}

static PyObject *
lease_reduce(Lease *self, PyObject *Py_UNUSED(ignored))
{
    return PyErr_Format(PyExc_TypeError, "%R cannot be copied or pickled: it would be given back twice.", self);
}

static PyObject *
lease_repr(Lease *self)
{
    PyObject *which = cell_which(self->handle->cell);
    const char *stands = atomic_load(&self->out) ? "out" : "given back";
    PyObject *told = which == NULL ? NULL : PyUnicode_FromFormat("<Lease of %U, %s>", which, stands);
    Py_XDECREF(which);
    return told;
}

static PyMethodDef lease_methods[] = {
    {"give_back", (PyCFunction)(void (*)(void))lease_give_back, METH_NOARGS,
     PyDoc_STR("give_back($self, /)\n--\n\nEnd the lease; a second time does nothing.\n\n"
               "If the handle is closing and this was the last, release it.")},
    {"__enter__", (PyCFunction)(void (*)(void))lease_enter, METH_NOARGS, PyDoc_STR("__enter__($self, /)\n--\n\nThe token.")},
    {"__exit__", (PyCFunction)(void (*)(void))lease_exit, METH_FASTCALL,
     PyDoc_STR("__exit__($self, kind, error, trace, /)\n--\n\nEnd the lease.")},
    {"__reduce__", (PyCFunction)(void (*)(void))lease_reduce, METH_NOARGS,
     PyDoc_STR("__reduce__($self, /)\n--\n\nRaises: a lease is neither copied nor pickled.")},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,
     PyDoc_STR("__class_getitem__($type, item, /)\n--\n\nFor annotations.")},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef lease_getset[] = {
    {"token", (getter)lease_token, NULL, PyDoc_STR("The token, as long as the lease is out; ``ClosedHandle`` after."), NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef lease_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Lease, weak), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot lease_slots[] = {
    {Py_tp_doc, (void *)PyDoc_STR("A right to use a handle, which puts off its release.\n\n"
                                  "As a context manager it gives the token.")},
    {Py_tp_new, (void *)lease_new_refused},
    {Py_tp_dealloc, (void *)lease_dealloc},
    {Py_tp_finalize, (void *)lease_finalize},
    {Py_tp_traverse, (void *)lease_traverse},
    {Py_tp_repr, (void *)lease_repr},
    {Py_tp_methods, lease_methods},
    {Py_tp_getset, lease_getset},
    {Py_tp_members, lease_members},
    {0, NULL},
};

static PyType_Spec lease_spec = {
    .name = "tenure._native.Lease",
    .basicsize = sizeof(Lease),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = lease_slots,
};

PyTypeObject *
lease_type(PyObject *module)
{
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &lease_spec, NULL);
}
