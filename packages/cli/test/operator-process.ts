// SPDX-License-Identifier: Apache-2.0
/** `holdfast operator` in a process that stays: the words of an act come in, and how it ended goes out, in their order. */
import { runServerCommand } from '@holdfast/server/command'

/** How an act ended. */
export interface Acted {
  readonly code: number
  readonly printed: string
}

let last: Promise<unknown> = Promise.resolve()

process.on('message', (words: string[]) => {
  last = last.then(async () => process.send?.(await act(words)))
})

async function act(words: readonly string[]): Promise<Acted> {
  let printed = ''
  process.stdout.write = (text: string | Uint8Array) => {
    printed += text
    return true
  }
  const code = await runServerCommand('operator', words)
  return { code, printed }
}
