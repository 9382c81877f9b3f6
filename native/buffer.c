/* Owned memory: a handle whose token is an address, and whose every exported view is a lease.

   Whoever exports the memory, a memoryview or ``os.readv``, holds the buffer until it lets go; so the memory is there
   for as long as anything sees it, whatever became of the block that took the view. An export can end in a dealloc,
   perhaps in the collector, so the release it allows is left to the safety net; ``ViewLease.give_back`` does it at once. */
#include "buffer.h"

#include <stdlib.h>

#include "handle.h"
#include "options.h"
#include "refusal.h"

typedef struct {
    Handle handle;
    Py_ssize_t size;
} Buffer;

typedef struct {
    PyObject_HEAD
    Buffer *buffer;
    PyObject *view;
    PyObject *weak;
    _Atomic(bool) out;
} ViewLease;

/* --- Buffer */

static PyObject *
free_block(PyObject *Py_UNUSED(module), PyObject *token)
{
    void *block = PyLong_AsVoidPtr(token);
    if (block == NULL && PyErr_Occurred()) {
        return NULL;
    }
    free(block);
    Py_RETURN_NONE;
}

static PyMethodDef free_def = {"free", free_block, METH_O, PyDoc_STR("free($module, address, /)\n--\n\nFree a block.")};

PyObject *
buffer_free_function(void)
{
    return PyCFunction_New(&free_def, NULL);
}

static int
check_size(Py_ssize_t size)
{
    if (size < 1) {
        PyErr_Format(PyExc_ValueError, "a buffer has at least 1 byte, not %zd", size);
        return -1;
    }
    return 0;
}

/* The address of new memory, as a token; NULL and an exception if there is none. */
static PyObject *
allocate(Py_ssize_t size)
{
    void *block = calloc(1, (size_t)size);
    if (block == NULL) {
        return PyErr_Format(PyExc_MemoryError, "no memory for a buffer of %zd bytes", size);
    }
    PyObject *token = PyLong_FromVoidPtr(block);
    if (token == NULL) {
        free(block);
    }
    return token;
}

static int
buffer_init(Buffer *self, PyObject *args, PyObject *given)
{
    static char *names[] = {"", "kind", "parent", NULL};
    Runtime *runtime = runtime_of_type(Py_TYPE(self));
    Options options = {0};
    if (runtime == NULL || !PyArg_ParseTupleAndKeywords(args, given, "n|$OO:Buffer", names, &options.size,
                                                        &options.kind, &options.parent)) {
        return -1;
    }
    if (check_size(options.size) < 0 || options_check_kind(options.kind) < 0) {
        return -1;
    }
    options.release = runtime->free_block;
    Cell *cell = handle_prepare(runtime, &self->handle, &options);
    if (cell == NULL) {
        return -1;
    }
    self->size = options.size;
    return handle_acquire(cell, allocate(options.size), (PyObject *)Py_TYPE(self), false);
}

static PyObject *
buffer_own(PyTypeObject *type, PyTypeObject *defining, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    Runtime *runtime = runtime_of_type(defining);
    Options options;
    if (runtime == NULL || options_from_names(&options, runtime, args + count, names) < 0 ||
        check_size(options.size) < 0) {
        return NULL;
    }
    Buffer *self = (Buffer *)handle_own_with(runtime, type, args, count, &options);
    if (self != NULL) {
        self->size = options.size;
    }
    return (PyObject *)self;
}

static int
buffer_export(Buffer *self, Py_buffer *view, int flags)
{
    Cell *cell = self->handle.cell;
    view->obj = NULL;
    if (cell == NULL) {
        refuse_unopened((PyObject *)self);
        return -1;
    }
    if (refused_here(cell, "lease")) {
        return -1;
    }
    if (cell_ties(cell) == NULL) {
        return -1;
    }
    if (!cell_export(cell)) {
        refuse_closed(cell, "");
        return -1;
    }
    void *base = PyLong_AsVoidPtr(cell->token);
    if ((base == NULL && PyErr_Occurred()) ||
        PyBuffer_FillInfo(view, (PyObject *)self, base, self->size, 0, flags) < 0) {
        cell_unexport(cell);
        return -1;
    }
    return 0;
}

static void
buffer_unexport(Buffer *self, Py_buffer *Py_UNUSED(view))
{
    cell_unexport(self->handle.cell);
}

static PyObject *
buffer_view(Buffer *self, PyObject *Py_UNUSED(ignored))
{
    return PyMemoryView_FromObject((PyObject *)self);
}

static PyObject *
buffer_lease(Buffer *self, PyObject *Py_UNUSED(ignored))
{
    Runtime *runtime = runtime_of_type(Py_TYPE(self));
    PyObject *view = runtime == NULL ? NULL : buffer_view(self, NULL);
    ViewLease *lease = view == NULL ? NULL : PyObject_GC_New(ViewLease, runtime->ViewLease);
    if (lease == NULL) {
        Py_XDECREF(view);
        return NULL;
    }
    lease->buffer = (Buffer *)Py_NewRef((PyObject *)self);
    lease->view = view;
    lease->weak = NULL;
    atomic_init(&lease->out, true);
    PyObject_GC_Track(lease);
    return (PyObject *)lease;
}

static Py_ssize_t
buffer_length(Buffer *self)
{
    return self->size;
}

static PyMethodDef buffer_methods[] = {
    {"own", (PyCFunction)(void (*)(void))buffer_own, METH_CLASS | METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("own($type, token, /, *, release, kind=None, size=0, parent=None, via=None, shared=False)\n--\n\n"
               "Own the ``size`` bytes at address ``token``, which exist already and which ``release`` frees.")},
    {"lease", (PyCFunction)(void (*)(void))buffer_lease, METH_NOARGS,
     PyDoc_STR("lease($self, /)\n--\n\nA right to see the memory: a writable ``memoryview`` for a block.\n\n"
               "Raises ``ClosedHandle`` from the moment of ``close()`` on.")},
    {"view", (PyCFunction)(void (*)(void))buffer_view, METH_NOARGS,
     PyDoc_STR("view($self, /)\n--\n\nA writable view that is a lease itself, until it and all that was made from it\n"
               "are gone.")},
    {NULL, NULL, 0, NULL},
};

static PyMemberDef buffer_members[] = {
    {"_size", T_PYSSIZET, offsetof(Buffer, size), 0, PyDoc_STR("For subclasses that bring their own memory.")},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot buffer_slots[] = {
    {Py_tp_doc, (void *)PyDoc_STR("Buffer(size, /, *, kind=None, parent=None)\n--\n\n"
                                  "``size`` bytes of C memory, zero at first, that are seen through leases only.")},
    {Py_tp_init, (void *)buffer_init},
    {Py_tp_methods, buffer_methods},
    {Py_tp_members, buffer_members},
    {Py_sq_length, (void *)buffer_length},
    {Py_bf_getbuffer, (void *)buffer_export},
    {Py_bf_releasebuffer, (void *)buffer_unexport},
    {0, NULL},
};

static PyType_Spec buffer_spec = {
    .name = "tenure._native.Buffer",
    .basicsize = sizeof(Buffer),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE, /* collected as a handle is */
    .slots = buffer_slots,
};

PyTypeObject *
buffer_type(PyObject *module)
{
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &buffer_spec,
                                                    (PyObject *)runtime_of_module(module)->Handle);
}

/* --- ViewLease */

static Cell *
cell_of(const ViewLease *self)
{
    return self->buffer->handle.cell;
}

static int
view_lease_traverse(ViewLease *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->buffer);
    Py_VISIT(self->view);
    return 0;
}

static void
view_lease_dealloc(ViewLease *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    if (self->weak != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    Py_DECREF(self->view);
    Py_DECREF(self->buffer);
    PyObject_GC_Del(self);
    Py_DECREF(type);
}

static PyObject *
view_lease_give_back(ViewLease *self, PyObject *Py_UNUSED(ignored))
{
    atomic_store(&self->out, false);
    PyObject *released = PyObject_CallMethod(self->view, "release", NULL);
    if (released == NULL) {
        if (!PyErr_ExceptionMatches(PyExc_BufferError)) {
            return NULL;
        }
        PyErr_Clear(); /* Somebody exported it further, and holds it as long as that is needed. */
    }
    Py_XDECREF(released);
    if (cell_pay(cell_of(self)) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static bool
is_out(ViewLease *self)
{
    if (atomic_load(&self->out)) {
        return true;
    }
    refuse_closed(cell_of(self), "the lease of ");
    return false;
}

static PyObject *
view_lease_token(ViewLease *self, void *Py_UNUSED(closure))
{
    return is_out(self) ? Py_NewRef(self->view) : NULL;
}

static PyObject *
view_lease_address(ViewLease *self, void *Py_UNUSED(closure))
{
    return is_out(self) ? Py_NewRef(cell_of(self)->token) : NULL;
}

static PyObject *
view_lease_enter(ViewLease *self, PyObject *Py_UNUSED(ignored))
{
    return view_lease_token(self, NULL);
}

static PyObject *
view_lease_exit(ViewLease *self, PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(count))
{
    return view_lease_give_back(self, NULL);
}

static PyObject *
view_lease_repr(ViewLease *self)
{
    PyObject *which = cell_which(cell_of(self));
    const char *stands = atomic_load(&self->out) ? "out" : "given back";
    PyObject *told = which == NULL ? NULL : PyUnicode_FromFormat("<ViewLease of %U, %s>", which, stands);
    Py_XDECREF(which);
    return told;
}

static PyObject *
view_lease_reduce(ViewLease *self, PyObject *Py_UNUSED(ignored))
{
    return PyErr_Format(PyExc_TypeError, "%R cannot be copied or pickled: it would be given back twice.", self);
}

static PyMethodDef view_lease_methods[] = {
    {"give_back", (PyCFunction)(void (*)(void))view_lease_give_back, METH_NOARGS,
     PyDoc_STR("give_back($self, /)\n--\n\nRelease the view, and end the lease unless something else was made of it.\n\n"
               "A second time does nothing.")},
    {"__enter__", (PyCFunction)(void (*)(void))view_lease_enter, METH_NOARGS,
     PyDoc_STR("__enter__($self, /)\n--\n\nThe view.")},
    {"__exit__", (PyCFunction)(void (*)(void))view_lease_exit, METH_FASTCALL,
     PyDoc_STR("__exit__($self, kind, error, trace, /)\n--\n\nGive it back.")},
    {"__reduce__", (PyCFunction)(void (*)(void))view_lease_reduce, METH_NOARGS,
     PyDoc_STR("__reduce__($self, /)\n--\n\nRaises: a lease is neither copied nor pickled.")},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef view_lease_getset[] = {
    {"token", (getter)view_lease_token, NULL,
     PyDoc_STR("The view, as long as the lease is out; ``ClosedHandle`` after."), NULL},
    {"address", (getter)view_lease_address, NULL,
     PyDoc_STR("Where the memory is, for a C function that takes a pointer; good for as long as the lease is out."),
     NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef view_lease_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(ViewLease, weak), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot view_lease_slots[] = {
    {Py_tp_doc, (void *)PyDoc_STR("A right to see the memory of a buffer, which puts off its release.\n\n"
                                  "As a context manager it gives the view.")},
    {Py_tp_dealloc, (void *)view_lease_dealloc},
    {Py_tp_traverse, (void *)view_lease_traverse},
    {Py_tp_repr, (void *)view_lease_repr},
    {Py_tp_methods, view_lease_methods},
    {Py_tp_getset, view_lease_getset},
    {Py_tp_members, view_lease_members},
    {0, NULL},
};

static PyType_Spec view_lease_spec = {
    .name = "tenure._native.ViewLease",
    .basicsize = sizeof(ViewLease),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_IMMUTABLETYPE | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = view_lease_slots,
};

PyTypeObject *
view_lease_type(PyObject *module)
{
    return (PyTypeObject *)PyType_FromModuleAndSpec(module, &view_lease_spec, NULL);
}
