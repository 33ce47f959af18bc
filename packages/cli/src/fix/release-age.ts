// SPDX-License-Identifier: Apache-2.0
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type LockManager, readBlocks, wordAt } from '@holdfast/core'

const minuteMs = 60_000
const dayMs = 24 * 60 * minuteMs

/** How old a version must be for the project's own package manager. `settings` are those of npm, yarn and bun. */
export async function readReleaseAge(
  folder: string,
  manager: LockManager,
  settings: ReadonlyMap<string, string>,
): Promise<number> {
  switch (manager) {
    case 'npm':
      return numberOf(process.env['npm_config_min_release_age'] ?? settings.get('min-release-age')) * dayMs
    case 'pnpm': {
      const text = await readFile(join(folder, 'pnpm-workspace.yaml'), 'utf8').catch(() => '')
      const told =
        process.env['pnpm_config_minimum_release_age'] ?? wordAt(readBlocks(text), 'minimumReleaseAge')
      return numberOf(told ?? settings.get('minimum-release-age')) * minuteMs
    }
    case 'berry':
      return readDuration(settings.get('npmMinimalAgeGate'))
    case 'bun':
      return numberOf(settings.get('bun:minimumReleaseAge')) * 1000
    default:
      return 0
  }
}

/** Minutes, or a number with its unit, as yarn writes it. */
function readDuration(text: string | undefined): number {
  const [, count, unit = 'm'] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)?$/.exec(text ?? '') ?? []
  const units: Readonly<Record<string, number>> = {
    ms: 1,
    s: 1000,
    m: minuteMs,
    h: 60 * minuteMs,
    d: dayMs,
    w: 7 * dayMs,
  }
  return numberOf(count) * (units[unit] ?? 0)
}

function numberOf(text: string | undefined): number {
  const number = Number(text ?? 0)
  return Number.isFinite(number) && number > 0 ? number : 0
}
