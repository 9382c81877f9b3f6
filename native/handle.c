/* The owner of one token and of the one way to release it: the Python type. */
#include "handle.h"

#include "lease.h"
#include "ledger.h"
#include "options.h"
#include "refusal.h"
#include "site.h"

/* --- Opening */

/* ``args[0]`` is the factory; the others are its arguments. */
static int
open_handle(Runtime *runtime, Handle *self, PyObject *const *args, Py_ssize_t count, const Options *options)
{
    if (count < 1) {
        PyErr_SetString(PyExc_TypeError, "missing a required positional argument: 'factory'");
        return -1;
    }
    Cell *cell = handle_prepare(runtime, self, options);
    if (cell == NULL) {
        return -1;
    }
    /* Invariant: from the factory's return until the token is in the ledger no bytecode runs, so no signal handler. */
    PyObject *token = PyObject_Vectorcall(args[0], args + 1, (size_t)(count - 1), NULL);
    return handle_acquire(cell, token, args[0], options->shared);
}

static int
handle_init(Handle *self, PyObject *args, PyObject *given)
{
    Runtime *runtime = runtime_of_type(Py_TYPE(self));
    Options options;
    if (runtime == NULL || options_from_dict(&options, runtime, given) < 0) {
        return -1;
    }
    return open_handle(runtime, self, PySequence_Fast_ITEMS(args), PyTuple_GET_SIZE(args), &options);
}

static PyObject *
handle_new(PyTypeObject *type, PyObject *Py_UNUSED(args), PyObject *Py_UNUSED(given))
{
    return type->tp_alloc(type, 0);
}

/* ``Handle(factory, …)``. Subclasses do not inherit it. */
static PyObject *
handle_vectorcall(PyObject *type, PyObject *const *args, size_t flagged, PyObject *names)
{
    Py_ssize_t count = PyVectorcall_NARGS(flagged);
    PyObject *module = PyType_GetModule((PyTypeObject *)type);
    Runtime *runtime = module == NULL ? NULL : runtime_of_module(module);
    Options options;
    if (runtime == NULL || options_from_names(&options, runtime, args + count, names) < 0) {
        return NULL;
    }
    PyObject *self = runtime->Handle->tp_alloc(runtime->Handle, 0);
    if (self != NULL && open_handle(runtime, (Handle *)self, args, count, &options) < 0) {
        Py_CLEAR(self);
    }
    return self;
}

static PyObject *
new_of(PyTypeObject *type)
{
    if (type->tp_new == handle_new) {
        return type->tp_alloc(type, 0);
    }
    PyObject *nothing = PyTuple_New(0);
    PyObject *self = nothing == NULL ? NULL : type->tp_new(type, nothing, NULL);
    Py_XDECREF(nothing);
    return self;
}

PyObject *
handle_own_with(Runtime *runtime, PyTypeObject *type, PyObject *const *args, Py_ssize_t count, const Options *options)
{
    if (count != 1) {
        return PyErr_Format(PyExc_TypeError, "own takes 1 positional argument, the token (%zd given)", count);
    }
    PyObject *self = new_of(type);
    if (self == NULL) {
        return NULL;
    }
    Cell *cell = handle_prepare(runtime, (Handle *)self, options);
    if (cell == NULL || handle_acquire(cell, Py_NewRef(args[0]), NULL, options->shared) < 0) {
        Py_CLEAR(self);
    }
    return self;
}

static PyObject *
handle_own(PyTypeObject *type, PyTypeObject *defining, PyObject *const *args, Py_ssize_t count, PyObject *names)
{
    Runtime *runtime = runtime_of_type(defining);
    Options options;
    if (runtime == NULL || options_from_names(&options, runtime, args + count, names) < 0) {
        return NULL;
    }
    return handle_own_with(runtime, type, args, count, &options);
}

/* --- Using and closing */

static PyObject *
handle_lease(Handle *self, PyObject *Py_UNUSED(ignored))
{
    Cell *cell = self->cell;
    if (cell == NULL) {
        return refuse_unopened((PyObject *)self);
    }
    if (refused_here(cell, "lease")) {
        return NULL;
    }
    return cell_lease(cell) ? lease_new(cell->runtime, self) : refuse_closed(cell, "");
}

static State
state_of(const Handle *self)
{
    return state_in(atomic_load_explicit(&self->cell->word, memory_order_acquire));
}

static bool
takes_leases(State state)
{
    return ARROWS[state][LEASE].effect != REFUSE;
}

static PyObject *
handle_enter(Handle *self, PyObject *Py_UNUSED(ignored))
{
    if (self->cell == NULL) {
        return refuse_unopened((PyObject *)self);
    }
    return takes_leases(state_of(self)) ? Py_NewRef((PyObject *)self) : refuse_closed(self->cell, "");
}

static PyObject *
handle_exit(Handle *self, PyObject *const *Py_UNUSED(args), Py_ssize_t Py_UNUSED(count))
{
    if (self->cell == NULL) {
        return refuse_unopened((PyObject *)self);
    }
    if (state_of(self) != CLOSED && handle_close(self, false, Py_None) < 0) {
        return NULL;
    }
    Py_RETURN_NONE;
}

static PyObject *
handle_state(Handle *self, void *Py_UNUSED(closure))
{
    return self->cell == NULL ? refuse_unopened((PyObject *)self)
                              : Py_NewRef(PyTuple_GET_ITEM(self->cell->runtime->states, state_of(self)));
}

static PyObject *
handle_closed(Handle *self, void *Py_UNUSED(closure))
{
    return self->cell == NULL ? refuse_unopened((PyObject *)self) : PyBool_FromLong(!takes_leases(state_of(self)));
}

static PyObject *
handle_repr(Handle *self)
{
    static const char *const STANDS[STATES] = {"open", "leased", "closing", "abandoned", "closed"};
    PyObject *type = PyType_GetName(Py_TYPE(self));
    PyObject *told = NULL;
    if (type != NULL && self->cell == NULL) {
        told = PyUnicode_FromFormat("<%U, never opened>", type);
    }
    else if (type != NULL) {
        PyObject *which = cell_which(self->cell);
        told = which == NULL ? NULL
                             : PyUnicode_FromFormat("<%U %U, %s, opened at %S>", type, which, STANDS[state_of(self)],
                                                    self->cell->site);
        Py_XDECREF(which);
    }
    Py_XDECREF(type);
    return told;
}

static PyObject *
handle_reduce(Handle *self, PyObject *Py_UNUSED(ignored))
{
    return PyErr_Format(PyExc_TypeError,
                        "%R cannot be copied or pickled: two owners would release one token twice.", self);
}

/* --- Subclassing */

/* ``super(Handle, cls).__init_subclass__(**given)`` */
static int
init_subclass_above(PyTypeObject *defining, PyTypeObject *type, PyObject *const *values, PyObject *names)
{
    PyObject *super = PyObject_CallFunctionObjArgs((PyObject *)&PySuper_Type, defining, type, NULL);
    PyObject *method = super == NULL ? NULL : PyObject_GetAttrString(super, "__init_subclass__");
    PyObject *result = method == NULL ? NULL : PyObject_Vectorcall(method, values, 0, names);
    Py_XDECREF(result);
    Py_XDECREF(method);
    Py_XDECREF(super);
    return result == NULL ? -1 : 0;
}

static PyObject *
handle_init_subclass(PyTypeObject *type, PyTypeObject *defining, PyObject *const *args, Py_ssize_t count,
                     PyObject *names)
{
    if (count != 0) {
        return PyErr_Format(PyExc_TypeError, "__init_subclass__ takes no positional arguments (%zd given)", count);
    }
    if (init_subclass_above(defining, type, args, names) < 0) {
        return NULL;
    }
    PyObject *dict = PyObject_GetAttrString((PyObject *)type, "__dict__");
    PyObject *name = dict == NULL ? NULL : PyUnicode_FromString("__del__");
    int defines = name == NULL ? -1 : PySequence_Contains(dict, name);
    Py_XDECREF(name);
    Py_XDECREF(dict);
    if (defines == 0) {
        Py_RETURN_NONE;
    }
    PyObject *told = defines < 0 ? NULL : PyType_GetQualName(type);
    if (told != NULL) {
        PyErr_Format(PyExc_TypeError,
                     "%U defines __del__, which would replace the safety net. "
                     "Pass release=, a function of the token alone.",
                     told);
        Py_DECREF(told);
    }
    return NULL;
}

/* --- Living and dying */

/* Whether what the cell holds is the handle's to show to the collector. */
static bool
owns(const Handle *self)
{
    return self->cell != NULL && !self->cell->orphaned;
}

static int
handle_traverse(Handle *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    if (owns(self)) {
        Py_VISIT(self->cell->token);
        Py_VISIT(self->cell->release);
        if (self->cell->ties != NULL) {
            Py_VISIT(self->cell->ties->parent);
            Py_VISIT(self->cell->ties->via);
        }
    }
    return 0;
}

static int
handle_clear(Handle *self)
{
    /* Only what is closed gets here owning anything: the finalizer has handed over the rest. */
    if (owns(self)) {
        Py_CLEAR(self->cell->release);
        if (self->cell->ties != NULL) {
            Py_CLEAR(self->cell->ties->via);
        }
    }
    return 0;
}

/* Before this the collector has cleared the weak references to what it found, ours too; the new one tells whether somebody
   holds the handle again after all. */
static void
renew_weak(Handle *self)
{
#ifdef Py_GIL_DISABLED
    Cell *cell = self->cell;
    PyObject *fresh = PyWeakref_NewRef((PyObject *)self, NULL);
    if (fresh == NULL) {
        PyErr_Clear();
        return;
    }
    LOCK(cell->runtime);
    PyObject *old = cell->handle;
    cell->handle = fresh;
    UNLOCK(cell->runtime);
    Py_XDECREF(old);
#else
    (void)self;
#endif
}

static void
handle_finalize(Handle *self)
{
    if (self->cell != NULL) {
        renew_weak(self);
        cell_abandon(self->cell);
    }
}

/* The handle is gone for good: no weak word of it stays in the cell. */
static void
let_go(Cell *cell)
{
#ifdef Py_GIL_DISABLED
    LOCK(cell->runtime);
    PyObject *weak = cell->handle;
    cell->handle = NULL;
    UNLOCK(cell->runtime);
    Py_XDECREF(weak);
#else
    cell->handle = NULL;
#endif
    cell_drop(cell);
}

static void
handle_dealloc(Handle *self)
{
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    Py_TRASHCAN_BEGIN(self, handle_dealloc); /* a cell may be the last to hold a parent, and that its own */
    if (self->cell != NULL) {
        cell_abandon(self->cell); /* again, if it was finalized before; it runs nobody's code, so nobody revives it */
    }
    if (self->weak != NULL) {
        PyObject_ClearWeakRefs((PyObject *)self);
    }
    if (self->cell != NULL) {
        let_go(self->cell);
    }
    type->tp_free(self);
    Py_DECREF(type);
    Py_TRASHCAN_END;
}

static PyMethodDef handle_methods[] = {
    {"own", (PyCFunction)(void (*)(void))handle_own, METH_CLASS | METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("own($type, token, /, *, release, kind=None, size=0, parent=None, via=None, shared=False)\n--\n\n"
               "Own ``token``, which exists already; the arguments are those of the class.")},
    {"lease", (PyCFunction)(void (*)(void))handle_lease, METH_NOARGS,
     PyDoc_STR("lease($self, /)\n--\n\nA right to use the token, which puts off its release.\n\n"
               "``with handle.lease() as token: …``. Raises ``ClosedHandle`` from the moment of ``close()`` on,\n"
               "``WrongThread`` if it is confined elsewhere.")},
    {"close", (PyCFunction)(void (*)(void))handle_close_method, METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("close($self, /, *, wait=False, timeout=None)\n--\n\nRelease the token, once; children first.\n\n"
               "While leases are out the last one back releases. With ``wait`` it returns when the token has been\n"
               "released, or raises ``CloseTimeout`` after ``timeout`` seconds (the handle stays closing). A second\n"
               "close does nothing, or raises ``AlreadyClosed`` if configured so; ``LeasedHandle`` if\n"
               "``configure(close=\"refuse\")`` and leases are out. What the release function raises passes through,\n"
               "and the handle is closed all the same.")},
    {"detach", (PyCFunction)(void (*)(void))handle_detach, METH_NOARGS,
     PyDoc_STR("detach($self, /)\n--\n\nGive the token up without a release: the caller owns it now.\n\n"
               "Raises ``LeasedHandle`` while leases are out or children open, ``ClosedHandle`` if there is no token\n"
               "any more.")},
    {"__enter__", (PyCFunction)(void (*)(void))handle_enter, METH_NOARGS,
     PyDoc_STR("__enter__($self, /)\n--\n\nThe handle, if it is open.")},
    {"__exit__", (PyCFunction)(void (*)(void))handle_exit, METH_FASTCALL,
     PyDoc_STR("__exit__($self, kind, error, trace, /)\n--\n\nClose it.")},
    {"__reduce__", (PyCFunction)(void (*)(void))handle_reduce, METH_NOARGS,
     PyDoc_STR("__reduce__($self, /)\n--\n\nRaises: a handle is neither copied nor pickled.")},
    {"__init_subclass__", (PyCFunction)(void (*)(void))handle_init_subclass,
     METH_CLASS | METH_METHOD | METH_FASTCALL | METH_KEYWORDS,
     PyDoc_STR("__init_subclass__($type, /, **arguments)\n--\n\nRefuses a class that defines ``__del__``.")},
    {"__class_getitem__", Py_GenericAlias, METH_O | METH_CLASS,
     PyDoc_STR("__class_getitem__($type, item, /)\n--\n\nFor annotations.")},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef handle_getset[] = {
    {"state", (getter)handle_state, NULL, PyDoc_STR("Where it stands in the lifecycle."), NULL},
    {"closed", (getter)handle_closed, NULL, PyDoc_STR("Whether it takes no more leases."), NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef handle_members[] = {
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Handle, weak), READONLY, NULL},
    {NULL, 0, 0, 0, NULL},
};

static PyType_Slot handle_slots[] = {
    {Py_tp_doc,
     (void *)PyDoc_STR("Handle(factory, /, *args, release, kind=None, size=0, parent=None, via=None, shared=False)\n"
                       "--\n\nThe owner of one token and of the one way to release it.\n\n"
                       "See ``tenure.open``.")},
    {Py_tp_new, (void *)handle_new},
    {Py_tp_init, (void *)handle_init},
    {Py_tp_dealloc, (void *)handle_dealloc},
    {Py_tp_finalize, (void *)handle_finalize},
    {Py_tp_traverse, (void *)handle_traverse},
    {Py_tp_clear, (void *)handle_clear},
    {Py_tp_repr, (void *)handle_repr},
    {Py_tp_methods, handle_methods},
    {Py_tp_getset, handle_getset},
    {Py_tp_members, handle_members},
    {0, NULL},
};

static PyType_Spec handle_spec = {
    .name = "tenure._native.Handle",
    .basicsize = sizeof(Handle),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = handle_slots,
};

PyTypeObject *
handle_type(PyObject *module)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &handle_spec, NULL);
    if (type != NULL) {
        type->tp_vectorcall = handle_vectorcall;
    }
    return type;
}
