#ifndef CSAMPLER_H
#define CSAMPLER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Samples the stacks of WebAssembly guests, from outside and without their help.
//
// A thread that runs a sampled guest gets a signal (SIGPROF) at a mean period with a random phase. Its handler walks the
// guest's frames and appends addresses to a buffer that only this thread reads: nothing is locked, allocated or formatted.
// On Linux a timer of the thread's own sends the signal, elsewhere a thread of the sampler does; both rest while no sampled
// guest runs.
//
// Compiled guest code keeps frame pointers, so a stack is a chain of frame records. Where the interrupted code is the
// host's (a hostcall, or a function of the engine), the record through which the guest left its code is looked for upwards
// from the stack pointer. What lies there may be left over from earlier calls; a record counts only if it returns into the
// code by which guests leave, and its chain ends in the code by which they are entered. Every page is asked for before it
// is read.

/// Addresses from `start` up to, and without, `end`.
typedef struct csampler_range {
  uintptr_t start;
  uintptr_t end;
} csampler_range_t;

/// Where a module's machine code lies.
typedef struct csampler_code {
  csampler_range_t all;
  /// The part by which the host enters the guest.
  csampler_range_t entries;
  /// The part by which the guest leaves for the host.
  csampler_range_t exits;
} csampler_code_t;

/// What is known of a guest while it runs. The owner keeps it until the guest has been left.
typedef struct csampler_guest {
  csampler_code_t code;
  /// The hostcall it is in, plus one; 0 for none.
  volatile uint32_t hostcall;
  /// A place on the guest's stack that the hostcall's frames above the engine's lie below.
  volatile uintptr_t host_frame;
} csampler_guest_t;

/// The guest is in a hostcall, of which the caller is a part. `hostcall` is its number plus one.
static inline void csampler_begin_hostcall(csampler_guest_t *guest, uint32_t hostcall) {
  guest->host_frame = (uintptr_t)__builtin_frame_address(0);
  guest->hostcall = hostcall;
}

static inline void csampler_end_hostcall(csampler_guest_t *guest) { guest->hostcall = 0; }

typedef struct csampler csampler_t;
typedef struct csampler_slot csampler_slot_t;

/// A sample in the buffer: these words, then `frames` addresses, innermost first, each within the instruction of its frame.
typedef struct csampler_record {
  /// Monotonic nanoseconds.
  uint64_t time;
  /// Nanoseconds of processor time that it stands for.
  uint32_t weight;
  /// As in `csampler_guest`.
  uint16_t hostcall;
  /// The number of addresses.
  uint16_t frames : 15;
  /// Whether the thread was outside the guest's code.
  uint16_t in_host : 1;
} csampler_record_t;

_Static_assert(sizeof(csampler_record_t) == 16, "records are counted in words of 8 bytes");

/// The most addresses of one sample.
#define CSAMPLER_MAXIMUM_FRAMES 512

/// Null when something else in the process uses SIGPROF, or there is no thread to have.
///
/// With `spares_busy_threads`, a thread whose guests begin with one short request after the other is sampled a quarter as often: none
/// of them would be met twice anyway, and each sample stands for the time since the one before.
csampler_t *csampler_new(uint64_t period_nanoseconds, bool spares_busy_threads);
/// All slots must be gone.
void csampler_delete(csampler_t *sampler);

/// A place for the calling thread, with a buffer of so many words of 8 bytes; null when the system has no timer left.
csampler_slot_t *csampler_slot_new(csampler_t *sampler, size_t capacity);
/// From the slot's own thread, or when that has ended.
void csampler_slot_delete(csampler_slot_t *slot);

/// A guest of the calling thread, which owns the slot, begins with a request.
void csampler_begin_request(csampler_slot_t *slot);
/// The calling thread, which owns the slot, is about to run the guest.
void csampler_enter(csampler_slot_t *slot, csampler_guest_t *guest);
/// It no longer does. Returns the number of words in the buffer.
size_t csampler_leave(csampler_slot_t *slot);
/// The buffer; meaningful between `csampler_leave` and `csampler_clear`.
const uint64_t *csampler_words(const csampler_slot_t *slot);
/// Empties the buffer. Returns how many samples found it full since the last time.
size_t csampler_clear(csampler_slot_t *slot);

/// The guest's frames above its hostcall, innermost first; the caller must run in it, on the guest's own stack. Returns how
/// many of `capacity` were filled.
size_t csampler_backtrace(const csampler_guest_t *guest, uintptr_t *frames, size_t capacity);

#endif
