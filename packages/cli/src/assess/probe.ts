// SPDX-License-Identifier: Apache-2.0
import type { CapabilityId } from '@holdfast/core'

/** The instance under assessment, as somebody outside meets it: an address, and the operator's own command line. */
export interface ProbeInstance {
  /** Where it answers, without a slash at the end. */
  readonly url: string
  /** Runs `holdfast operator <args> --data <its folder>`; throws when that does not exit with 0. Returns what it printed. */
  operate(...args: string[]): Promise<string>
  /** Another instance of the same version, fresh and with settings of its own, for what the defaults show only after days. */
  startOther(settings: Settings): Promise<ProbeInstance>
}

/** Values for the environment of an instance, such as `HOLDFAST_UNPUBLISH_HOURS`. */
export type Settings = Readonly<Record<string, string>>

/** What a probe saw that shows the capability is there: sentences with the facts in them. */
export type Evidence = readonly string[]

/**
 * Shows one capability by doing the thing for real; throws when the instance fails it. Probes share an instance with
 * one another and later with people, so each works under a package name of its own and touches nobody else's.
 */
export interface Probe {
  readonly capability: CapabilityId
  run(instance: ProbeInstance): Promise<Evidence>
}

/** Fails the probe unless `isTrue`; `what` says what must be so and what was found instead. */
export function demand(isTrue: boolean, what: string): asserts isTrue {
  if (!isTrue) throw new Error(what)
}
