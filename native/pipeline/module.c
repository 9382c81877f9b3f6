/* The intake as Python sees it: how one is made, looked at and released, and the module it is in. */
#include "intake.h"
#include "marks.h"

#include <stddef.h>
#include <structmember.h>

PyDoc_STRVAR(feed_doc, "Take what was read from a connection; what to write to it.");
PyDoc_STRVAR(take_doc, "The rows sealed since the last time: (rows, numbers, values, ends, data, marks).");

static PyObject *refuse_if_busy(const struct intake *self)
{
    if (self->busy)
        PyErr_SetString(PyExc_RuntimeError, "the intake is being fed");
    return self->busy ? NULL : Py_None;
}

static PyObject *take(struct intake *self, PyObject *Py_UNUSED(none))
{
    return refuse_if_busy(self) ? block_take(&self->block) : NULL;
}

PyDoc_STRVAR(rotate_doc, "Begin a new epoch of keys.");

static PyObject *rotate(struct intake *self, PyObject *Py_UNUSED(none))
{
    if (!refuse_if_busy(self) || keys_rotate(&self->keys) < 0)
        return NULL;
    Py_RETURN_NONE;
}

PyDoc_STRVAR(tail_doc, "Last id and length of a stream.");

static PyObject *tail(struct intake *self, PyObject *stream)
{
    Py_buffer name;
    if (PyObject_GetBuffer(stream, &name, PyBUF_SIMPLE) < 0)
        return NULL;
    const struct tail *found = names_find(&self->streams, (struct word){name.buf, (size_t)name.len});
    PyBuffer_Release(&name);
    static const struct tail nothing;
    found = found ? found : &nothing;
    return Py_BuildValue("(KKK)", (unsigned long long)found->ms, (unsigned long long)found->seq,
                         (unsigned long long)found->length);
}

PyDoc_STRVAR(resume_doc, "Go on with a stream where the log says it ended.");

static PyObject *resume(struct intake *self, PyObject *args)
{
    const char *text;
    Py_ssize_t length;
    unsigned long long ms, seq, count;

    if (!PyArg_ParseTuple(args, "y#(KKK)", &text, &length, &ms, &seq, &count))
        return NULL;
    struct word stream = {text, (size_t)length};
    struct tail given = {ms, seq, count}, *known = names_find(&self->streams, stream);
    if (known != NULL)
        *known = given;
    else if (intake_keep_tail(self, stream, &given) < 0)
        return NULL;
    Py_RETURN_NONE;
}

/* The names that mean something: [(name, meaning, place)]. */
static int plan_begin(struct plan *plan, PyObject *meant, PyObject *counted, int values)
{
    PyObject *items = PySequence_Tuple(meant);
    if (items == NULL)
        return -1;
    plan->owner = Py_BuildValue("(NO)", items, counted);
    plan->count = (size_t)PyTuple_GET_SIZE(items);
    plan->values = values;
    plan->meant = PyMem_Calloc(plan->count + 1, sizeof *plan->meant);
    if (plan->owner == NULL || plan->meant == NULL)
        return -1;
    plan->counted = (struct word){PyBytes_AS_STRING(counted), (size_t)PyBytes_GET_SIZE(counted)};
    for (size_t i = 0; i < plan->count; i++) {
        const char *text;
        Py_ssize_t length;
        int meaning, place;
        if (!PyArg_ParseTuple(PyTuple_GET_ITEM(items, (Py_ssize_t)i), "y#ii", &text, &length, &meaning, &place))
            return -1;
        plan->meant[i] = (struct meant){{text, (size_t)length}, (enum meaning)meaning, place};
    }
    return 0;
}

static int init(struct intake *self, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"meant",   "counted", "values", "bulk",     "args",    "request", "keyring", "clock", "answer",
                            "refusals", "library", "records_per_key", "max_keys", "max_streams", "ahead", NULL};
    PyObject *meant, *counted, *keyring, *clock, *answer, *refusals;
    const char *library;
    int values;
    Py_ssize_t bulk, most_args, request, streams;
    unsigned long long records, most, ahead;

    if (self->clock != NULL) {
        PyErr_SetString(PyExc_RuntimeError, "an intake is made once");
        return -1;
    }
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OSinnnOOOO!sKKnK", names, &meant, &counted, &values, &bulk,
                                     &most_args, &request, &keyring, &clock, &answer, &PyList_Type, &refusals,
                                     &library, &records, &most, &streams, &ahead))
        return -1;
    if (values < 0 || values > MAX_VALUES || PyList_GET_SIZE(refusals) != REFUSALS + values) {
        PyErr_SetString(PyExc_ValueError, "at most 8 values, and a reply for each refusal");
        return -1;
    }
    self->limits = (struct limits){(size_t)bulk, (size_t)most_args, (size_t)request, 0};
    self->strangers = (struct limits){bulk < 16384 ? (size_t)bulk : 16384, most_args < 64 ? (size_t)most_args : 64,
                                      request < 16384 ? (size_t)request : 16384, 1};
    self->keys.keyring = Py_NewRef(keyring);
    self->keys.records = records;
    self->keys.most = most;
    self->clock = Py_NewRef(clock);
    self->answer = Py_NewRef(answer);
    self->refusals = PyList_GetSlice(refusals, 0, PyList_GET_SIZE(refusals));
    self->refusal = PyBytes_FromStringAndSize(NULL, 0);
    self->most_streams = (size_t)streams;
    self->ahead = ahead;
    self->block.values = values;
    if (keys_begin(&self->keys) < 0 || self->refusals == NULL || self->refusal == NULL || plan_begin(&self->plan, meant, counted, values) < 0)
        return -1;
    return libcrypto_open(&self->keys.crypto, library) < 0 ? -1 : block_begin(&self->block);
}

static int traverse(struct intake *self, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(self->clock);
    Py_VISIT(self->answer);
    Py_VISIT(self->refusals);
    Py_VISIT(self->refusal);
    Py_VISIT(self->plan.owner);
    Py_VISIT(self->keys.keyring);
    for (size_t i = 0; i < self->keys.table.size; i++)
        if (self->keys.table.slots[i].value != NULL)
            Py_VISIT(((struct key *)self->keys.table.slots[i].value)->secret);
    return 0;
}

/* What can be part of a cycle. The rest of the intake stays whole until it is released. */
static int clear(struct intake *self)
{
    Py_CLEAR(self->clock);
    Py_CLEAR(self->answer);
    return 0;
}

static void dealloc(struct intake *self)
{
    PyTypeObject *type = Py_TYPE(self);

    PyObject_GC_UnTrack(self);
    clear(self);
    Py_CLEAR(self->refusals);
    Py_CLEAR(self->refusal);
    keys_free(&self->keys);
    names_clear(&self->streams, PyMem_Free);
    block_free(&self->block);
    bytes_free(&self->replies);
    PyMem_Free(self->request.words);
    PyMem_Free(self->plan.meant);
    Py_CLEAR(self->plan.owner);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *get_rows(struct intake *self, void *Py_UNUSED(closure))
{
    return PyLong_FromSize_t(self->block.rows);
}

static PyObject *get_size(struct intake *self, void *Py_UNUSED(closure))
{
    return PyLong_FromSize_t(self->block.size);
}

static PyMethodDef methods[] = {
    {"feed", (PyCFunction)(void (*)(void))intake_feed, METH_FASTCALL, feed_doc},
    {"take", (PyCFunction)take, METH_NOARGS, take_doc},
    {"rotate", (PyCFunction)rotate, METH_NOARGS, rotate_doc},
    {"tail", (PyCFunction)tail, METH_O, tail_doc},
    {"resume", (PyCFunction)resume, METH_VARARGS, resume_doc},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef attributes[] = {
    {"rows", (getter)get_rows, NULL, "Rows in the block.", NULL},
    {"size", (getter)get_size, NULL, "About how many bytes they will need.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMemberDef members[] = {
    {"sealed", T_ULONGLONG, offsetof(struct intake, sealed), READONLY, "Events sealed."},
    {"sealed_bytes", T_ULONGLONG, offsetof(struct intake, sealed_bytes), READONLY, "Their secret bytes."},
    {"seal_ns", T_ULONGLONG, offsetof(struct intake, keys.seal_ns), READONLY, "Nanoseconds spent sealing them."},
    {"requests", T_ULONGLONG, offsetof(struct intake, requests), READONLY, "Requests answered."},
    {"protocol_errors", T_ULONGLONG, offsetof(struct intake, protocol_errors), READONLY, "Broken requests."},
    {"refusal", T_OBJECT_EX, offsetof(struct intake, refusal), 0, "Refuses every event while it is not empty."},
    {NULL, 0, 0, 0, NULL},
};

PyDoc_STRVAR(intake_doc, "Intake(*, meant, counted, values, bulk, args, request, keyring, clock, answer, refusals, library, "
                         "records_per_key, max_keys, max_streams, ahead)\n--\n\n"
                         "Requests in, replies and sealed rows out; see tenure.pipeline.intake.");

static PyType_Slot slots[] = {
    {Py_tp_doc, (void *)intake_doc},
    {Py_tp_init, init},
    {Py_tp_traverse, traverse},
    {Py_tp_clear, clear},
    {Py_tp_dealloc, dealloc},
    {Py_tp_methods, methods},
    {Py_tp_getset, attributes},
    {Py_tp_members, members},
    {0, NULL},
};

static PyType_Spec spec = {
    .name = "tenure.pipeline._native.Intake",
    .basicsize = sizeof(struct intake),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = slots,
};

static int execute(PyObject *module)
{
    if (conversation_begin() < 0)
        return -1;
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    if (type == NULL)
        return -1;
    int failed = PyModule_AddObjectRef(module, "Intake", type);
    Py_DECREF(type);
    return failed;
}

static PyMethodDef functions[] = {
    {"marks", marks_read, METH_VARARGS, marks_doc},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, execute},
    {0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "tenure.pipeline._native",
    .m_doc = "The hot path of the pipeline.",
    .m_size = 0,
    .m_methods = functions,
    .m_slots = module_slots,
};

PyMODINIT_FUNC PyInit__native(void)
{
    return PyModuleDef_Init(&module);
}
