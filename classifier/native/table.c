/* Memory for the big tables. */

#include <stdlib.h>
#include <string.h>

#include "kernel.h"

#ifdef __linux__
#include <sys/mman.h>
#define HUGE ((size_t)1 << 21)
#endif

/* On Linux in pages of 2 MiB where the system has them: looking into random places of small pages
   means finding the page first, which costs as much again. */
void *table_new(size_t size)
{
#ifdef __linux__
    if (size >= HUGE) {
        size_t whole = (size + HUGE - 1) / HUGE * HUGE;
        void *table = aligned_alloc(HUGE, whole);
        if (!table)
            return NULL;
        madvise(table, whole, MADV_HUGEPAGE); /* a wish: nothing is lost where it is not granted */
        return memset(table, 0, whole);
    }
#endif
    return calloc(1, size ? size : 1);
}
