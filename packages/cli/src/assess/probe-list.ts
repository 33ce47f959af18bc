// SPDX-License-Identifier: Apache-2.0
import { tokenPrefix } from './probe/authz-1-prefix.ts'
import { scopedKeys } from './probe/authz-1-scoped-keys.ts'
import { leakedTokens } from './probe/authz-3-scanning.ts'
import { oneGate } from './probe/beyond-one-gate.ts'
import { unpublish } from './probe/general-2-unpublish.ts'
import type { Probe } from './probe.ts'

/** Every probe that exists; a capability that none of them shows is `missing`. */
export const probes: readonly Probe[] = [leakedTokens, scopedKeys, tokenPrefix, unpublish, oneGate]
