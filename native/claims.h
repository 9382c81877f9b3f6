/* The index of claimed tokens, by which a second owner is noticed. */
#ifndef TENURE_CLAIMS_H
#define TENURE_CLAIMS_H

#include "runtime.h"

/* Make room for one more claim, so that nothing can fail once there is a token. */
void claims_reserve(Runtime *runtime);
/* Claim its token. 0: claimed, or not to be claimed; 1: another cell, held for the caller, has it; -1: an exception. */
int claims_make(Cell *cell, PyObject *token, Cell **other);
/* Give the claim up. With the lock held. */
void claims_give_up(Cell *cell);

#endif
