// SPDX-License-Identifier: Apache-2.0
import { isProblem } from '@holdfast/core'

/** The log did what an honest log never does: exit code 3, with where the evidence lies. */
export class Misbehaviour extends Error {
  readonly hint: string
  constructor(message: string, hint: string) {
    super(message)
    this.hint = hint
  }
}

/** Prints `run`'s misbehaviour and gives 3 for it; every other outcome stays what it is. */
export async function reportMisbehaviour(run: () => Promise<number>): Promise<number> {
  try {
    return await run()
  } catch (error) {
    // What the log signed or keeps cannot be read as what it has to be.
    const isLie = error instanceof Misbehaviour || (isProblem(error) && logProblems.has(error.code))
    if (!isLie) throw error
    process.stderr.write(`${(error as Error).message}\n${(error as Misbehaviour).hint}\n`)
    return 3
  }
}

const logProblems: ReadonlySet<string> = new Set(['note-refused', 'leaf-refused', 'tile-refused'])
