#include "names.h"

/* The slot of a word, or the empty one where it would go. Invariant: at least a quarter of the slots is empty. */
static struct name *slot_of(const struct names *names, struct word word, Py_hash_t hash)
{
    size_t mask = names->size - 1, at = (size_t)hash & mask;

    while (names->slots[at].word.text != NULL) {
        struct name *found = &names->slots[at];
        if (found->hash == hash && word_is(found->word, word))
            return found;
        at = (at + 1) & mask;
    }
    return &names->slots[at];
}

void *names_find(const struct names *names, struct word word)
{
    if (names->used == 0)
        return NULL;
    return slot_of(names, word, hash_of(word.text, word.length))->value;
}

static int grow(struct names *names)
{
    struct names larger = {NULL, names->used, names->size ? 2 * names->size : 64};

    larger.slots = PyMem_Calloc(larger.size, sizeof *larger.slots);
    if (larger.slots == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (size_t i = 0; i < names->size; i++)
        if (names->slots[i].word.text != NULL)
            *slot_of(&larger, names->slots[i].word, names->slots[i].hash) = names->slots[i];
    PyMem_Free(names->slots);
    *names = larger;
    return 0;
}

int names_add(struct names *names, struct word word, void *value)
{
    if (4 * (names->used + 1) > 3 * names->size && grow(names) < 0)
        return -1;
    char *text = PyMem_Malloc(word.length + 1);
    if (text == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(text, word.text, word.length);
    Py_hash_t hash = hash_of(word.text, word.length);
    *slot_of(names, word, hash) = (struct name){hash, {text, word.length}, value};
    names->used++;
    return 0;
}

void names_clear(struct names *names, void (*drop)(void *))
{
    for (size_t i = 0; i < names->size; i++) {
        if (names->slots[i].word.text == NULL)
            continue;
        PyMem_Free((char *)names->slots[i].word.text);
        drop(names->slots[i].value);
    }
    PyMem_Free(names->slots);
    memset(names, 0, sizeof *names);
}
