// SPDX-License-Identifier: Apache-2.0

const barWidth = 30
const everyMs = 100

/** How far a long reading is, for a person at a terminal; nobody else sees it. */
export function startProgress(what: string, total: number) {
  const { stderr } = process
  let shownAt = 0
  return {
    show(done: number): void {
      if (!stderr.isTTY || Date.now() - shownAt < everyMs) return
      shownAt = Date.now()
      const full = Math.round((done / total) * barWidth)
      stderr.write(`\r[${'#'.repeat(full)}${'.'.repeat(barWidth - full)}] ${done} of ${total} ${what}`)
    },
    end(): void {
      if (stderr.isTTY) stderr.write('\r\x1b[K')
    },
  }
}
