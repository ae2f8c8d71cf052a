/* Whether products run in AMX's tiles. */

#include <stdint.h>

int has_tiles = 0;

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) && \
    __GNUC__ >= 11
#include <sys/syscall.h>
#include <unistd.h>

#define REQUEST_STATE 0x1023 /* ARCH_REQ_XCOMP_PERM of Linux */
#define TILE_DATA 18         /* XFEATURE_XTILEDATA */

/* Linux keeps a tile's 8 KB for threads of processes that have asked for it. */
static int allowed(void) {
    __builtin_cpu_init();
    return __builtin_cpu_supports("amx-tile") && __builtin_cpu_supports("amx-bf16") &&
           syscall(SYS_arch_prctl, REQUEST_STATE, TILE_DATA) == 0;
}
#else
static int allowed(void) { return 0; }
#endif

/* Uses tiles from now on if they are wanted and this CPU and system have them; returns whether. */
int64_t use_tiles(const int64_t *wanted) {
    has_tiles = *wanted && allowed();
    return has_tiles;
}
