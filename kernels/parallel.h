// The pool of threads of the native addon: parallel(), thread_count() and thread_scratch() of abi.h by POSIX threads.
//
// Parts are handed out by a counter, so a thread that the system takes away holds up nobody but its own part. Between two kernels the
// helpers spin for some microseconds (the next kernel is usually that near), then sleep. Only one caller has the helpers at a time; any other
// (a second worker thread, a kernel within a part) does all its parts itself.
#pragma once
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "abi.h"

#define MAX_THREADS 64
#define SPINS 4000

#if defined(__x86_64__)
#define PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define PAUSE() __asm__ volatile("yield")
#else
#define PAUSE() (void)0
#endif

static struct {
  pthread_mutex_t owner;  // held by the thread whose job runs
  part_body body;
  void *context;
  int parts, limit;      // helpers numbered below limit take part
  int helpers;           // started so far
  atomic_int next;       // the part to hand out next
  atomic_int open;       // the fields above are valid
  atomic_int inside;     // helpers that may be reading them
  atomic_uint ticket;    // changes with every job
  atomic_int sleepers;
  pthread_mutex_t sleep;
  pthread_cond_t wake;
} pool = {.owner = PTHREAD_MUTEX_INITIALIZER, .sleep = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static __thread int calling_threads = 1;  // what the library in use allows; 1 within a part
static pthread_key_t scratch_key;
static pthread_once_t scratch_once = PTHREAD_ONCE_INIT;

static void make_scratch_key(void) { pthread_key_create(&scratch_key, free); }

void *thread_scratch(void) {
  static __thread void *mine;
  if (!mine) {
    if (posix_memalign(&mine, 64, SCRATCH_BYTES)) abort();
    pthread_once(&scratch_once, make_scratch_key);
    pthread_setspecific(scratch_key, mine);  // freed when the thread ends
  }
  return mine;
}

int thread_count(void) { return calling_threads; }

static void take_parts(void) {
  int part, before = calling_threads;
  calling_threads = 1;
  while ((part = atomic_fetch_add(&pool.next, 1)) < pool.parts) pool.body(pool.context, part, pool.parts);
  calling_threads = before;
}

static void *help(void *number) {
  unsigned seen = 0;
  for (;;) {
    for (int i = 0; i < SPINS && atomic_load_explicit(&pool.ticket, memory_order_relaxed) == seen; i++) PAUSE();
    if (atomic_load(&pool.ticket) == seen) {
      pthread_mutex_lock(&pool.sleep);
      atomic_fetch_add(&pool.sleepers, 1);
      while (atomic_load(&pool.ticket) == seen) pthread_cond_wait(&pool.wake, &pool.sleep);
      atomic_fetch_sub(&pool.sleepers, 1);
      pthread_mutex_unlock(&pool.sleep);
    }
    seen = atomic_load(&pool.ticket);
    // Either the owner sees us inside and waits, or we see that its job is closed.
    atomic_fetch_add(&pool.inside, 1);
    if (atomic_load(&pool.open) && (int)(intptr_t)number < pool.limit) take_parts();
    atomic_fetch_sub(&pool.inside, 1);
  }
  return 0;
}

static void start_helpers(int wanted) {
  for (; pool.helpers < wanted; pool.helpers++) {
    pthread_t thread;
    if (pthread_create(&thread, 0, help, (void *)(intptr_t)pool.helpers)) return;
    pthread_detach(thread);
  }
}

void parallel(part_body body, void *context, int parts) {
  int threads = calling_threads;
  if (threads == 1 || parts <= 1 || pthread_mutex_trylock(&pool.owner)) {
    calling_threads = 1;
    for (int part = 0; part < parts; part++) body(context, part, parts);
    calling_threads = threads;
    return;
  }
  start_helpers(threads - 1);
  pool.body = body;
  pool.context = context;
  pool.parts = parts;
  pool.limit = threads - 1;
  atomic_store(&pool.next, 0);
  atomic_store(&pool.open, 1);
  atomic_fetch_add(&pool.ticket, 1);
  if (atomic_load(&pool.sleepers)) {
    pthread_mutex_lock(&pool.sleep);
    pthread_cond_broadcast(&pool.wake);
    pthread_mutex_unlock(&pool.sleep);
  }
  take_parts();
  atomic_store(&pool.open, 0);
  for (int i = 0; atomic_load(&pool.inside); i++) {
    if (i < SPINS) PAUSE();
    else sched_yield();
  }
  pthread_mutex_unlock(&pool.owner);
}
