// SPDX-License-Identifier: Apache-2.0
import type { Probe } from './probe.ts'

/** Every probe that exists; a capability that none of them shows is `missing`. */
export const probes: readonly Probe[] = []
