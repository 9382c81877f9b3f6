/* The line that opens or closes a handle, as code objects and instruction offsets.

   Equal frames have one ``Site``, made and kept by ``tenure._impl.site``. A table here finds it again by the addresses
   of the code objects, which the ``Site`` keeps from being used for anything else. */
#include "site.h"

typedef struct {
    uint64_t hash;
    int depth;
    PyCodeObject *codes[SITE_DEPTH];
    int offsets[SITE_DEPTH];
} Frames;

PyObject *
site_here(int *lasti)
{
    PyFrameObject *frame = PyEval_GetFrame();
    if (frame == NULL) {
        return NULL;
    }
    *lasti = PyFrame_GetLasti(frame);
    return (PyObject *)PyFrame_GetCode(frame);
}

static bool
is_ours(Runtime *runtime, PyFrameObject *frame)
{
    PyCodeObject *code = PyFrame_GetCode(frame);
    bool ours = PyUnicode_Tailmatch(code->co_filename, runtime->package, 0, PY_SSIZE_T_MAX, -1) == 1;
    Py_DECREF(code);
    return ours;
}

/* The innermost frame, or its nearest caller that is not of this package; a new reference. */
static PyFrameObject *
first_frame(Runtime *runtime, bool outside)
{
    PyFrameObject *frame = (PyFrameObject *)Py_XNewRef((PyObject *)PyEval_GetFrame());
    while (outside && frame != NULL && is_ours(runtime, frame)) {
        PyFrameObject *back = PyFrame_GetBack(frame);
        if (back == NULL) {
            break;
        }
        Py_SETREF(frame, back);
    }
    return frame;
}

/* ``frame``, which it steals, and its callers. Their code objects are not held: they run, so they live. */
static void
walk(Frames *frames, PyFrameObject *frame, int depth)
{
    uint64_t hash = 0;
    int at = 0;
    while (frame != NULL) {
        PyCodeObject *code = PyFrame_GetCode(frame);
        int lasti = PyFrame_GetLasti(frame);
        Py_DECREF(code);
        frames->codes[at] = code;
        frames->offsets[at] = lasti;
        hash = (hash ^ (uintptr_t)code ^ (uint64_t)(uint32_t)lasti << 40) * UINT64_C(0x9E3779B97F4A7C15);
        PyFrameObject *back = ++at < depth ? PyFrame_GetBack(frame) : NULL;
        Py_DECREF(frame);
        frame = back;
    }
    frames->depth = at;
    frames->hash = hash ^ hash >> 32;
}

static bool
same_frames(const Known *known, const Frames *frames)
{
    if (known->hash != frames->hash || known->depth != frames->depth) {
        return false;
    }
    for (int at = 0; at < known->depth; at++) {
        if (known->frames[at].code != frames->codes[at] || known->frames[at].lasti != frames->offsets[at]) {
            return false;
        }
    }
    return true;
}

/* Where the frames stand in the table, or would. */
static Known **
slot_of(const Sites *sites, const Frames *frames)
{
    size_t at = frames->hash & sites->mask;
    while (sites->slots[at] != NULL && !same_frames(sites->slots[at], frames)) {
        at = (at + 1) & sites->mask;
    }
    return &sites->slots[at];
}

/* Pairs of code and offset: what ``Site`` keeps. */
static PyObject *
tuple_of(const Frames *frames)
{
    PyObject *tuple = PyTuple_New(frames->depth);
    for (int at = 0; tuple != NULL && at < frames->depth; at++) {
        PyObject *pair = Py_BuildValue("(Oi)", frames->codes[at], frames->offsets[at]);
        if (pair == NULL) {
            Py_CLEAR(tuple);
        }
        else {
            PyTuple_SET_ITEM(tuple, at, pair);
        }
    }
    return tuple;
}

static Known *
known_new(const Frames *frames, PyObject *site)
{
    Known *known = PyMem_Malloc(offsetof(Known, frames) + (size_t)frames->depth * sizeof known->frames[0]);
    if (known == NULL) {
        return NULL;
    }
    known->site = Py_NewRef(site);
    known->hash = frames->hash;
    known->depth = frames->depth;
    for (int at = 0; at < frames->depth; at++) {
        known->frames[at].code = frames->codes[at];
        known->frames[at].lasti = frames->offsets[at];
    }
    return known;
}

/* Twice the room. With the lock held; if there is no memory, the table stays as it is. */
static bool
grow(Sites *sites)
{
    size_t mask = sites->slots == NULL ? 63 : 2 * sites->mask + 1;
    Known **slots = PyMem_RawCalloc(mask + 1, sizeof(Known *));
    if (slots == NULL) {
        return false;
    }
    for (size_t at = 0; sites->slots != NULL && at <= sites->mask; at++) {
        Known *known = sites->slots[at];
        if (known != NULL) {
            size_t to = known->hash & mask;
            while (slots[to] != NULL) {
                to = (to + 1) & mask;
            }
            slots[to] = known;
        }
    }
    PyMem_RawFree(sites->slots);
    sites->slots = slots;
    sites->mask = mask;
    return true;
}

/* Remember ``known``, unless another thread has; the answer is what is not needed. With the lock held. */
static Known *
remember(Sites *sites, Known *known, const Frames *frames)
{
    if ((sites->slots == NULL || 2 * sites->used > sites->mask) && !grow(sites)) {
        return known;
    }
    Known **slot = slot_of(sites, frames);
    if (*slot != NULL) {
        return known;
    }
    *slot = known;
    sites->used++;
    return NULL;
}

static void
known_free(Known *known)
{
    if (known != NULL) {
        Py_DECREF(known->site);
        PyMem_Free(known);
    }
}

/* The first time these frames are seen. */
static PyObject *
learn(Runtime *runtime, const Frames *frames)
{
    PyObject *tuple = tuple_of(frames);
    PyObject *site = tuple == NULL ? NULL : PyObject_CallOneArg(runtime->intern, tuple);
    Py_XDECREF(tuple);
    Known *known = site == NULL ? NULL : known_new(frames, site);
    if (known != NULL) {
        LOCK(runtime);
        known = remember(&runtime->sites, known, frames);
        UNLOCK(runtime);
        known_free(known);
    }
    return site;
}

PyObject *
site_capture(Runtime *runtime, int depth, bool outside)
{
    if (depth <= 0) {
        return Py_NewRef(runtime->unknown);
    }
    Frames frames;
    walk(&frames, first_frame(runtime, outside), depth < SITE_DEPTH ? depth : SITE_DEPTH);
    PyObject *site = NULL;
    LOCK(runtime);
    if (runtime->sites.slots != NULL) {
        Known *known = *slot_of(&runtime->sites, &frames);
        site = known == NULL ? NULL : Py_NewRef(known->site);
    }
    UNLOCK(runtime);
    return site != NULL ? site : learn(runtime, &frames);
}

void
sites_clear(Runtime *runtime)
{
    Sites sites = runtime->sites;
    runtime->sites = (Sites){0};
    for (size_t at = 0; sites.slots != NULL && at <= sites.mask; at++) {
        known_free(sites.slots[at]);
    }
    PyMem_RawFree(sites.slots);
}
