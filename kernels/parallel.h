// The pool of threads behind parallel(), thread_count() and thread_scratch() of abi.h: one protocol, on POSIX threads for the native
// addon and on worker threads that share the memory for WebAssembly.
//
// Parts are assigned by a counter, so a thread that the system preempts delays only its own part. Between two kernels the helpers spin for
// some microseconds (the next kernel usually follows within that time), then sleep. Only one caller uses the helpers at a time; any other
// (a second JavaScript thread with the addon, a kernel within a part) computes all its parts itself.
#pragma once
#include <stdatomic.h>

#include "abi.h"

static struct {
  part_body body;
  void *context;
  int parts, limit;    // helpers numbered below limit take part
  atomic_int next;     // the part to hand out next
  atomic_int open;     // the fields above are valid
  atomic_int inside;   // helpers that may be reading them
  atomic_uint ticket;  // changes with every job
} pool;

static _Thread_local int calling_threads = 1;  // available to the caller; 1 within a part

// The functions that differ between the targets.
static int claim_pool(void);            // 0 when another caller has it
static void release_pool(void);
static void start_helpers(int wanted);
static void await_ticket(unsigned seen);  // returns when pool.ticket is no longer `seen`
static void wake_helpers(void);
static void rest(int spins);              // called over and over while helpers finish their parts

int thread_count(void) { return calling_threads; }

static void take_parts(void) {
  int part, before = calling_threads;
  calling_threads = 1;
  while ((part = atomic_fetch_add(&pool.next, 1)) < pool.parts) pool.body(pool.context, part, pool.parts);
  calling_threads = before;
}

// The main function of a helper thread.
static void help_forever(int number) {
  for (unsigned seen = 0;;) {
    await_ticket(seen);
    seen = atomic_load(&pool.ticket);
    // Either the owner sees this thread inside and waits, or this thread sees that the job is closed.
    atomic_fetch_add(&pool.inside, 1);
    if (atomic_load(&pool.open) && number < pool.limit) take_parts();
    atomic_fetch_sub(&pool.inside, 1);
  }
}

void parallel(part_body body, void *context, int parts) {
  int threads = calling_threads;
  if (threads == 1 || parts <= 1 || !claim_pool()) {
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
  wake_helpers();
  take_parts();
  atomic_store(&pool.open, 0);
  for (int spins = 0; atomic_load(&pool.inside); spins++) rest(spins);
  release_pool();
}

#ifdef __wasm__

#define SPINS 20000
static _Thread_local void *own_scratch;  // given by JavaScript
void *thread_scratch(void) { return own_scratch; }

static int claim_pool(void) { return 1; }  // one JavaScript thread has this memory
static void release_pool(void) {}
static void start_helpers(int wanted) { (void)wanted; }  // JavaScript starts them

static atomic_int sleepers;
static void await_ticket(unsigned seen) {
  for (int i = 0; i < SPINS; i++)
    if (atomic_load(&pool.ticket) != seen) return;
  atomic_fetch_add(&sleepers, 1);
  while (atomic_load(&pool.ticket) == seen) __builtin_wasm_memory_atomic_wait32((int *)&pool.ticket, (int)seen, -1);
  atomic_fetch_sub(&sleepers, 1);
}
static void wake_helpers(void) {
  if (atomic_load(&sleepers)) __builtin_wasm_memory_atomic_notify((int *)&pool.ticket, 0x7fffffff);
}
static void rest(int spins) {
  static int never;  // a wait without a signal yields to other threads
  if (spins > SPINS) __builtin_wasm_memory_atomic_wait32(&never, 0, 20000);
}

#else

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#define SPINS 4000
#if defined(__x86_64__)
#define PAUSE() __builtin_ia32_pause()
#elif defined(__aarch64__)
#define PAUSE() __asm__ volatile("yield")
#else
#define PAUSE() (void)0
#endif

static pthread_key_t scratch_key;
static void make_scratch_key(void) { pthread_key_create(&scratch_key, free); }

void *thread_scratch(void) {
  static _Thread_local void *mine;
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  if (!mine) {
    if (posix_memalign(&mine, 64, SCRATCH_BYTES)) abort();
    pthread_once(&once, make_scratch_key);
    pthread_setspecific(scratch_key, mine);  // freed when the thread ends
  }
  return mine;
}

static pthread_mutex_t owner = PTHREAD_MUTEX_INITIALIZER;
static int claim_pool(void) { return pthread_mutex_trylock(&owner) == 0; }
static void release_pool(void) { pthread_mutex_unlock(&owner); }

static void *helper(void *number) {
  help_forever((int)(intptr_t)number);
  return 0;
}
static void start_helpers(int wanted) {
  static int started;
  for (; started < wanted; started++) {
    pthread_t thread;
    if (pthread_create(&thread, 0, helper, (void *)(intptr_t)started)) return;
    pthread_detach(thread);
  }
}

static pthread_mutex_t sleep_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wake = PTHREAD_COND_INITIALIZER;
static atomic_int sleepers;
static void await_ticket(unsigned seen) {
  for (int i = 0; i < SPINS; i++) {
    if (atomic_load_explicit(&pool.ticket, memory_order_relaxed) != seen) return;
    PAUSE();
  }
  pthread_mutex_lock(&sleep_lock);
  atomic_fetch_add(&sleepers, 1);
  while (atomic_load(&pool.ticket) == seen) pthread_cond_wait(&wake, &sleep_lock);
  atomic_fetch_sub(&sleepers, 1);
  pthread_mutex_unlock(&sleep_lock);
}
static void wake_helpers(void) {
  if (!atomic_load(&sleepers)) return;
  pthread_mutex_lock(&sleep_lock);
  pthread_cond_broadcast(&wake);
  pthread_mutex_unlock(&sleep_lock);
}
static void rest(int spins) {
  if (spins < SPINS) PAUSE();
  else sched_yield();
}

#endif
