/* The module ``tenure._native``: its state, its functions, and what it takes from the Python side. */
#include "buffer.h"
#include "handle.h"
#include "lease.h"
#include "ledger.h"
#include "queue.h"
#include "remains.h"
#include "site.h"
#include "wiper.h"

typedef struct {
    Runtime *runtime;
} ModuleState;

/* --- The runtime of an interpreter lives as long as its module or any of its cells. */

Runtime *
runtime_new(void)
{
    Runtime *runtime = PyMem_RawCalloc(1, sizeof(Runtime));
    PyThread_type_lock bell = runtime == NULL ? NULL : PyThread_allocate_lock();
    if (bell == NULL) {
        PyMem_RawFree(runtime);
        PyErr_NoMemory();
        return NULL;
    }
    PyThread_acquire_lock(bell, WAIT_LOCK);
    runtime->bell = bell;
    runtime->era = 1;
    atomic_init(&runtime->holders, 1);
    atomic_init(&runtime->depth, 3);
    atomic_init(&runtime->sample, 1);
    return runtime;
}

void
runtime_drop(Runtime *runtime)
{
    if (atomic_fetch_sub_explicit(&runtime->holders, 1, memory_order_acq_rel) != 1) {
        return;
    }
#define X(name) Py_XDECREF(runtime->names.name);
    RUNTIME_NAMES(X)
#undef X
    PyMem_RawFree(runtime->buckets);
    PyThread_release_lock(runtime->bell);
    PyThread_free_lock(runtime->bell);
    PyMem_RawFree(runtime);
}

Runtime *
runtime_of_module(PyObject *module)
{
    return ((ModuleState *)PyModule_GetState(module))->runtime;
}

Runtime *
runtime_of_type(PyTypeObject *type)
{
    PyObject *module = PyType_GetModuleByDef(type, &tenure_module);
    return module == NULL ? NULL : runtime_of_module(module);
}

/* --- Functions of the module */

static PyObject *
install(PyObject *module, PyObject *hooks)
{
    Runtime *runtime = runtime_of_module(module);
    if (runtime_import(runtime) < 0) { /* now, before any thread can be at it */
        return NULL;
    }
    PyObject *old = runtime->hooks;
    runtime->hooks = Py_NewRef(hooks);
    atomic_store(&runtime->started, 0);
    Py_XDECREF(old);
    Py_RETURN_NONE;
}

static PyObject *
configure(PyObject *module, PyObject *args, PyObject *given)
{
    static char *names[] = {"depth", "sample", "refuse", "strict", NULL};
    int depth, sample, refuse, strict;
    if (!PyArg_ParseTupleAndKeywords(args, given, "$iipp:configure", names, &depth, &sample, &refuse, &strict)) {
        return NULL;
    }
    Runtime *runtime = runtime_of_module(module);
    atomic_store(&runtime->depth, depth);
    atomic_store(&runtime->sample, sample);
    atomic_store(&runtime->refuse, refuse);
    atomic_store(&runtime->strict, strict);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"table", lifecycle_table, METH_NOARGS,
     PyDoc_STR("table($module, /)\n--\n\nThe lifecycle as it is enacted here, as plain numbers.")},
    {"install", install, METH_O, PyDoc_STR("install($module, hooks, /)\n--\n\nWhom the slow paths ask.")},
    {"configure", (PyCFunction)(void (*)(void))configure, METH_VARARGS | METH_KEYWORDS,
     PyDoc_STR("configure($module, /, *, depth, sample, refuse, strict)\n--\n\n"
               "Frames kept for a site (at most 64); keep every n-th; refuse to close under a lease; a second close\n"
               "is an error.")},
    {"entries", ledger_entries, METH_NOARGS,
     PyDoc_STR("entries($module, /)\n--\n\nEverything that is open now, oldest first.")},
    {"handles", ledger_handles, METH_NOARGS,
     PyDoc_STR("handles($module, /)\n--\n\nThe handles that are open and held by somebody, oldest first.")},
    {"entry_of", ledger_entry_of, METH_O,
     PyDoc_STR("entry_of($module, handle, /)\n--\n\nThe line of one handle, closed or not.")},
    {"counts", ledger_counts, METH_NOARGS, PyDoc_STR("counts($module, /)\n--\n\nThe books, as they stand.")},
    {"wiper", wiper, METH_VARARGS,
     PyDoc_STR("wiper($module, size, put, /)\n--\n\nA function that wipes the bytes at an address, then calls put.")},
    {"disown_all", ledger_disown_all, METH_NOARGS,
     PyDoc_STR("disown_all($module, /)\n--\n\nAfter fork, in the child: nothing that was open is this process's.")},
    {NULL, NULL, 0, NULL},
};

/* --- Making it */

static int
make_names(Runtime *runtime)
{
#define X(name) && (runtime->names.name = PyUnicode_InternFromString(#name)) != NULL
    return 1 RUNTIME_NAMES(X) ? 0 : -1;
#undef X
}

static PyObject *
import_from(const char *module, const char *name)
{
    PyObject *home = PyImport_ImportModule(module);
    PyObject *value = home == NULL || name == NULL ? home : PyObject_GetAttrString(home, name);
    if (name != NULL) {
        Py_XDECREF(home);
    }
    return value;
}

int
runtime_import(Runtime *runtime)
{
    if (runtime->states != NULL) {
        return 0;
    }
    runtime->errors = import_from("tenure.errors", NULL);
    runtime->threading = runtime->errors == NULL ? NULL : import_from("threading", NULL);
    runtime->Entry = runtime->threading == NULL ? NULL : (PyTypeObject *)import_from("tenure._impl.contract", "Entry");
    runtime->Counts = runtime->Entry == NULL ? NULL : import_from("tenure._impl.contract", "Counts");
    runtime->intern = runtime->Counts == NULL ? NULL : import_from("tenure._impl.site", "intern");
    runtime->line_of = runtime->intern == NULL ? NULL : import_from("tenure._impl.site", "line_of");
    runtime->unknown = runtime->line_of == NULL ? NULL : import_from("tenure._impl.site", "UNKNOWN");
    runtime->package = runtime->unknown == NULL ? NULL : import_from("tenure._impl.site", "_PACKAGE");
    PyObject *states = runtime->package == NULL ? NULL : import_from("tenure.lifecycle", "State");
    runtime->states = states == NULL ? NULL : PySequence_Tuple(states);
    Py_XDECREF(states);
    return runtime->states == NULL ? -1 : 0;
}

static int
make_types(PyObject *module, Runtime *runtime)
{
    runtime->Handle = handle_type(module);
    runtime->Lease = lease_type(module);
    runtime->Remains = remains_type(module);
    runtime->Queue = queue_type(module);
    if (runtime->Handle == NULL || runtime->Lease == NULL || runtime->Remains == NULL || runtime->Queue == NULL) {
        return -1;
    }
    runtime->Buffer = buffer_type(module);
    runtime->ViewLease = view_lease_type(module);
    runtime->free_block = buffer_free_function();
    if (runtime->Buffer == NULL || runtime->ViewLease == NULL || runtime->free_block == NULL) {
        return -1;
    }
    runtime->queue = queue_new(runtime);
    return runtime->queue == NULL ? -1 : 0;
}

static int
module_exec(PyObject *module)
{
    Runtime *runtime = runtime_new();
    if (runtime == NULL) {
        return -1;
    }
    ((ModuleState *)PyModule_GetState(module))->runtime = runtime;
    if (make_names(runtime) < 0 || make_types(module, runtime) < 0) {
        return -1;
    }
    return PyModule_AddStringConstant(module, "name", "native") < 0 ||
                   PyModule_AddObjectRef(module, "queue", runtime->queue) < 0 ||
                   PyModule_AddType(module, runtime->Handle) < 0 || PyModule_AddType(module, runtime->Lease) < 0 ||
                   PyModule_AddType(module, runtime->Remains) < 0 || PyModule_AddType(module, runtime->Buffer) < 0 ||
                   PyModule_AddType(module, runtime->ViewLease) < 0
               ? -1
               : 0;
}

static int
module_traverse(PyObject *module, visitproc visit, void *arg)
{
    ModuleState *state = PyModule_GetState(module);
    if (state != NULL && state->runtime != NULL) {
#define X(type, name) Py_VISIT(state->runtime->name);
        RUNTIME_OBJECTS(X)
#undef X
    }
    return 0;
}

static int
module_clear(PyObject *module)
{
    ModuleState *state = PyModule_GetState(module);
    if (state != NULL && state->runtime != NULL) {
        leases_clear(state->runtime);
#define X(type, name) Py_CLEAR(state->runtime->name);
        RUNTIME_OBJECTS(X)
#undef X
    }
    return 0;
}

static void
module_free(void *module)
{
    ModuleState *state = PyModule_GetState(module);
    if (state == NULL || state->runtime == NULL) {
        return;
    }
    Runtime *runtime = state->runtime;
    module_clear(module);
    queue_clear(runtime);
    ledger_clear(runtime);
    sites_clear(runtime);
    state->runtime = NULL;
    runtime_drop(runtime);
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, (void *)module_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
#if PY_VERSION_HEX >= 0x030D0000
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

struct PyModuleDef tenure_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "tenure._native",
    .m_doc = PyDoc_STR("The runtime in C: what ``tenure._impl.pure`` defines, fast."),
    .m_size = sizeof(ModuleState),
    .m_methods = functions,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC
PyInit__native(void)
{
    return PyModuleDef_Init(&tenure_module);
}
