/* Which sources the library was compiled from: hatch_build.py gives their SHA-256 as SOURCES. */

#include "kernel.h"

#define SPELT(name) #name
#define TEXT_OF(name) SPELT(name)

EXPORT const char *kernel_sources(void)
{
    return TEXT_OF(SOURCES);
}
