// SPDX-License-Identifier: Apache-2.0

/** A line that tells how far long work has come. */
export interface Progress {
  /** What is done so far, of all there is when that is known. */
  show(done: number, total: number | undefined): void
  /** Takes the line away. */
  clear(): void
}

const everyMs = 100
const barWidth = 30

/** Draws on a terminal, at most ten times a second, and is silent elsewhere. */
export function openProgress(out: NodeJS.WriteStream, label: string, unit: string): Progress {
  if (!out.isTTY) return { show: () => undefined, clear: () => undefined }
  const startedAt = performance.now()
  let drawnAt = 0
  return {
    show(done, total) {
      const now = performance.now()
      if (now - drawnAt < everyMs) return
      drawnAt = now
      const perSecond = Math.round(done / ((now - startedAt) / 1000))
      out.write(`\r\x1b[2K${label} ${drawBar(done, total)} ${unit}, ${perSecond}/s`)
    },
    clear() {
      out.write('\r\x1b[2K')
    },
  }
}

function drawBar(done: number, total: number | undefined): string {
  if (total === undefined || total === 0) return String(done)
  const filled = Math.min(barWidth, Math.round((done / total) * barWidth))
  const percent = Math.min(100, Math.floor((done / total) * 100))
  return `[${'#'.repeat(filled)}${'.'.repeat(barWidth - filled)}] ${percent}% ${done}/${total}`
}
