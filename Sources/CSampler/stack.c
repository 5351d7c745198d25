#if defined(__linux__)
#define _GNU_SOURCE
#elif defined(__APPLE__)
#define _XOPEN_SOURCE
#define _DARWIN_C_SOURCE
#endif

#include "stack.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#if defined(__linux__)
#include <sys/syscall.h>
#elif defined(__APPLE__)
#include <mach/mach.h>
#include <mach/mach_vm.h>
#endif

/// How far above the stack pointer a guest's frame is looked for when the host runs: what a hostcall's own frames take.
#define HOST_FRAMES_BYTES (96 * 1024)
/// A guest's stack with the host's share of it is smaller.
#define STACK_BYTES (4 * 1024 * 1024)
#define PAGE_BYTES 4096

/// Registers at an instant.
typedef struct {
  uintptr_t pc;
  uintptr_t sp;
  uintptr_t fp;
  /// Return address register, 0 where the machine has none.
  uintptr_t lr;
} registers_t;

/// Return addresses carry a signature in their upper bits where the processor has pointer authentication.
static inline uintptr_t code_address(uintptr_t word) {
#if defined(__aarch64__)
  return word & ((UINT64_C(1) << 47) - 1);
#else
  return word;
#endif
}

static bool contains(csampler_range_t range, uintptr_t address) { return address >= range.start && address < range.end; }

// MARK: Reading a stack whose ends are not known

/// Remembers the page that was found readable last, because neighbouring words are on it.
typedef struct {
  uintptr_t page;
} reader_t;

static bool is_readable(uintptr_t page) {
#if defined(__linux__)
  // With an action that does not exist the system reads the set and then refuses, or finds the page unreadable first.
  int error = errno;
  long result = syscall(SYS_rt_sigprocmask, ~0, (const void *)page, NULL, 8);
  bool readable = result == 0 || errno != EFAULT;
  errno = error;
  return readable;
#elif defined(__APPLE__)
  uintptr_t word;
  mach_vm_size_t size = 0;
  return mach_vm_read_overwrite(mach_task_self(), page, sizeof word, (mach_vm_address_t)&word, &size) == KERN_SUCCESS;
#else
  return false;
#endif
}

/// Reads the aligned word at an address.
static bool read_word(reader_t *reader, uintptr_t address, uintptr_t *word) {
  uintptr_t page = address & ~(uintptr_t)(PAGE_BYTES - 1);
  if (page != reader->page) {
    if (!is_readable(page)) return false;
    reader->page = page;
  }
  *word = *(const uintptr_t *)address;
  return true;
}

// MARK: Walking

/// Follows frame records from `fp` on, as long as they return into the guest.
static size_t follow(const csampler_guest_t *guest, reader_t *reader, uintptr_t fp, uintptr_t sp, uintptr_t *frames,
                     size_t count, size_t capacity) {
  uintptr_t end = sp + STACK_BYTES;
  uintptr_t least = sp;
  while (count < capacity && fp >= least && fp < end && fp % sizeof(uintptr_t) == 0) {
    uintptr_t caller, address;
    if (!read_word(reader, fp, &caller) || !read_word(reader, fp + sizeof(uintptr_t), &address)) break;
    address = code_address(address);
    if (!contains(guest->code.all, address)) break;
    // A return address is behind its call, which may be the last instruction of a function.
    frames[count++] = address - 1;
    least = fp + 2 * sizeof(uintptr_t);
    fp = caller;
  }
  return count;
}

/// The bytes of a frame of the code by which guests leave, arguments for the host included.
#define EXIT_FRAME_BYTES 2048

/// The frames from the record on that lies nearest above `start`, whose chain reaches the code by which guests are entered.
static size_t follow_nearest(const csampler_guest_t *guest, reader_t *reader, uintptr_t start, uintptr_t *frames,
                             size_t capacity) {
  for (uintptr_t place = start; place < start + EXIT_FRAME_BYTES; place += sizeof(uintptr_t)) {
    uintptr_t caller, address;
    if (!read_word(reader, place, &caller)) return 0;
    // A frame pointer lies above the place it is kept at.
    if (caller <= place || caller - place > STACK_BYTES) continue;
    if (!read_word(reader, place + sizeof(uintptr_t), &address)) return 0;
    if (!contains(guest->code.all, code_address(address))) continue;
    size_t count = follow(guest, reader, place, place, frames, 0, capacity);
    if (count == capacity || (count > 0 && contains(guest->code.entries, frames[count - 1]))) return count;
  }
  return 0;
}

/// The guest's frames when the host runs, looked for from a place on the stack upwards. The host's code need not keep frame
/// pointers: what marks the border is an address behind a call in the code by which guests leave.
static size_t follow_from_host(const csampler_guest_t *guest, reader_t *reader, uintptr_t start, uintptr_t *frames,
                               size_t capacity) {
  const uintptr_t size = sizeof(uintptr_t);
  uintptr_t place = (start + size - 1) & ~(size - 1);
  for (uintptr_t end = place + HOST_FRAMES_BYTES; place < end; place += size) {
    uintptr_t word;
    if (!read_word(reader, place, &word)) return 0;
    if (!contains(guest->code.exits, code_address(word) - 1)) continue;
    size_t count = follow_nearest(guest, reader, place + size, frames, capacity);
    if (count > 0) return count;
  }
  return 0;
}

/// A function that is being entered or left has no frame record yet, or no more: its caller's address is elsewhere.
static uintptr_t caller_without_record(const csampler_guest_t *guest, reader_t *reader, const registers_t *at) {
#if defined(__x86_64__)
  const uint8_t *code = (const uint8_t *)at->pc;
  uintptr_t place = 0;
  if (code[0] == 0x55 || code[0] == 0xc3) {
    // push rbp, or ret.
    place = at->sp;
  } else if (at->pc > guest->code.all.start && code[-1] == 0x55 && code[0] == 0x48 && code[1] == 0x89 && code[2] == 0xe5) {
    // mov rbp, rsp behind push rbp.
    place = at->sp + sizeof(uintptr_t);
  }
  uintptr_t address;
  if (place == 0 || place % sizeof(uintptr_t) != 0 || !read_word(reader, place, &address)) return 0;
  return contains(guest->code.all, address) ? address - 1 : 0;
#elif defined(__aarch64__)
  (void)reader;
  const uint32_t *code = (const uint32_t *)at->pc;
  const uint32_t store_pair = 0xa9bf7bfd, set_frame = 0x910003fd, ret = 0xd65f03c0, retab = 0xd65f0fff;
  const uint32_t pacibsp = 0xd503237f;
  bool is_edge = code[0] == store_pair || code[0] == set_frame || code[0] == ret || code[0] == retab || code[0] == pacibsp;
  uintptr_t address = code_address(at->lr);
  return is_edge && contains(guest->code.all, address) ? address - 1 : 0;
#else
  return 0;
#endif
}

static size_t walk(const csampler_guest_t *guest, const registers_t *at, uintptr_t *frames, size_t capacity,
                   bool *in_host) {
  reader_t reader = {0};
  *in_host = !contains(guest->code.all, at->pc);
  if (*in_host) {
    // The hostcall's own frames are many and have nothing to find in them.
    bool is_hostcall = guest->hostcall != 0 && guest->host_frame > at->sp && guest->host_frame - at->sp < STACK_BYTES;
    return follow_from_host(guest, &reader, is_hostcall ? guest->host_frame : at->sp, frames, capacity);
  }
  size_t count = 0;
  frames[count++] = at->pc;
  uintptr_t caller = caller_without_record(guest, &reader, at);
  if (caller != 0) frames[count++] = caller;
  return follow(guest, &reader, at->fp, at->sp, frames, count, capacity);
}

size_t csampler_walk_context(const csampler_guest_t *guest, const void *context, uintptr_t *frames, size_t capacity,
                             bool *in_host) {
  if (capacity < 2) return 0;
  const ucontext_t *machine = context;
  registers_t at = {0};
#if defined(__linux__) && defined(__x86_64__)
  at.pc = (uintptr_t)machine->uc_mcontext.gregs[REG_RIP];
  at.sp = (uintptr_t)machine->uc_mcontext.gregs[REG_RSP];
  at.fp = (uintptr_t)machine->uc_mcontext.gregs[REG_RBP];
#elif defined(__linux__) && defined(__aarch64__)
  at.pc = machine->uc_mcontext.pc;
  at.sp = machine->uc_mcontext.sp;
  at.fp = machine->uc_mcontext.regs[29];
  at.lr = machine->uc_mcontext.regs[30];
#elif defined(__APPLE__) && defined(__x86_64__)
  at.pc = machine->uc_mcontext->__ss.__rip;
  at.sp = machine->uc_mcontext->__ss.__rsp;
  at.fp = machine->uc_mcontext->__ss.__rbp;
#elif defined(__APPLE__) && defined(__aarch64__)
  at.pc = (uintptr_t)__darwin_arm_thread_state64_get_pc(machine->uc_mcontext->__ss);
  at.sp = (uintptr_t)__darwin_arm_thread_state64_get_sp(machine->uc_mcontext->__ss);
  at.fp = (uintptr_t)__darwin_arm_thread_state64_get_fp(machine->uc_mcontext->__ss);
  at.lr = (uintptr_t)__darwin_arm_thread_state64_get_lr(machine->uc_mcontext->__ss);
#else
  (void)machine;
  return 0;
#endif
  return walk(guest, &at, frames, capacity, in_host);
}

size_t csampler_backtrace(const csampler_guest_t *guest, uintptr_t *frames, size_t capacity) {
  reader_t reader = {0};
  return follow_from_host(guest, &reader, guest->host_frame, frames, capacity);
}
