// SPDX-License-Identifier: Apache-2.0
import { isProblem } from '@holdfast/core'

/** What one look at an instance found. */
export interface Finding {
  readonly check: string
  readonly state: 'ok' | 'warn' | 'fail'
  /** What is, in one sentence. */
  readonly say: string
  /** What to do; only where something is not as it should be. */
  readonly todo?: string
}

/** Looks at one thing; may find several. Whatever it throws is a failed check of this name. */
export interface Check {
  readonly name: string
  look(): Promise<Finding | readonly Finding[]>
}

export function ok(check: string, say: string): Finding {
  return { check, state: 'ok', say }
}

export function warn(check: string, say: string, todo: string): Finding {
  return { check, state: 'warn', say, todo }
}

export function fail(check: string, say: string, todo: string): Finding {
  return { check, state: 'fail', say, todo }
}

/** Runs a check; one that cannot look has failed and says why. */
export async function run({ name, look }: Check): Promise<readonly Finding[]> {
  try {
    return [await look()].flat()
  } catch (error) {
    if (isProblem(error)) return [fail(name, `${error.message}.`, error.hint)]
    const why = error instanceof Error ? error.message : String(error)
    return [
      fail(name, `This could not be checked: ${why}.`, 'Mend what the message names, and run doctor again.'),
    ]
  }
}
