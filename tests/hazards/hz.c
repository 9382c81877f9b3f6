/* A tiny C library with the usual handle API, for the hazard tests.
 *
 * Built three ways: every handle on pages of its own, which close() makes inaccessible for ever, so that any later touch
 * is a SIGSEGV (the default); on malloc and free, with whose reuse a late touch goes unnoticed (-DHZ_MALLOC); and that
 * under AddressSanitizer, which names the free and the late touch.
 *
 * At the end of the process that loaded it, it writes what it opened and closed to stderr.
 */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define LIVE 0x7e17e17e17e1ULL
#define DEAD 0xdeadULL

typedef struct hz {
    uint64_t magic, ops, size;
    struct hz *parent;
    int64_t children;
    int fd;
    uint8_t data[];
} hz;

static long opened, closed;
static pid_t loader;

long hz_opened(void) { return __atomic_load_n(&opened, __ATOMIC_SEQ_CST); }
long hz_closed(void) { return __atomic_load_n(&closed, __ATOMIC_SEQ_CST); }
long hz_live(void) { return hz_opened() - hz_closed(); }

__attribute__((constructor)) static void at_load(void) { loader = getpid(); }

__attribute__((destructor)) static void at_exit(void) {
    if (getpid() == loader) fprintf(stderr, "hz: opened %ld, closed %ld\n", hz_opened(), hz_closed());
}

#ifdef HZ_MALLOC
static hz *take(size_t size) { return calloc(1, sizeof(hz) + size); }
static void give(hz *h) { free(h); }
#else
static size_t span(size_t size) { return (sizeof(hz) + size + 4095) / 4096 * 4096; }

static hz *take(size_t size) {
    hz *h = mmap(0, span(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return h == MAP_FAILED ? 0 : h;
}

static void give(hz *h) { mprotect(h, span(h->size), PROT_NONE); }
#endif

hz *hz_open(size_t size) {
    hz *h = take(size);
    if (!h) return 0;
    h->magic = LIVE;
    h->size = size;
    h->fd = -1;
    for (size_t i = 0; i < size; i++) h->data[i] = (uint8_t)('A' + i % 26);
    __atomic_add_fetch(&opened, 1, __ATOMIC_SEQ_CST);
    return h;
}

hz *hz_child(hz *parent) {
    hz *child = hz_open(16);
    if (!child) return 0;
    child->parent = parent;
    parent->children++;
    return child;
}

int hz_close(hz *h) {
    if (h->magic != LIVE) {
        fprintf(stderr, "hz: %p is closed already, or no handle\n", (void *)h);
        abort();
    }
    if (h->parent) h->parent->children--; /* a child talks to its parent while it closes */
    h->magic = DEAD;
    __atomic_add_fetch(&closed, 1, __ATOMIC_SEQ_CST);
    give(h);
    return 0;
}

/* A long call: touches the handle for ms milliseconds. */
uint64_t hz_work(hz *h, int ms) {
    const struct timespec pause = {0, 1000000};
    for (int i = 0; i < ms; i++) {
        h->ops++;
        nanosleep(&pause, 0);
    }
    return h->ops;
}

uint8_t *hz_data(hz *h) { return h->data; }
int hz_peek(hz *h, size_t i) { return h->data[i]; }

/* A session with a peer, which closing tells goodbye. */
hz *hz_session(int fd) {
    hz *h = hz_open(16);
    if (h) h->fd = fd;
    return h;
}

int hz_session_close(hz *h) {
    if (write(h->fd, "B", 1) != 1) fprintf(stderr, "hz: the peer is gone\n");
    return hz_close(h);
}

int hz_session_ping(hz *h) {
    char c = 'P';
    if (write(h->fd, &c, 1) != 1) return -1;
    if (read(h->fd, &c, 1) != 1) return -2;
    return c;
}
