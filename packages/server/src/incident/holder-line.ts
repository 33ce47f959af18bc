// SPDX-License-Identifier: Apache-2.0
/** Holders as CSV that a spreadsheet does not run. */
import type { Holder } from './blast.ts'

const columns: readonly (readonly [string, (each: Holder) => string | number])[] = [
  ['package', each => each.package],
  ['version', each => each.version],
  ['account', each => each.accountId],
  ['login', each => each.login],
  ['token', each => each.tokenId],
  ['repository', each => each.job?.repository ?? ''],
  ['workflow', each => each.job?.workflow ?? ''],
  ['run', each => each.job?.run ?? ''],
  ['network', each => each.address],
  ['client', each => each.client],
  ['fetches', each => each.count],
  ['first', each => new Date(each.firstAt).toISOString()],
  ['last', each => new Date(each.lastAt).toISOString()],
]

/** The names of the columns. */
export function formatHolderHead(): string {
  return `${columns.map(([name]) => name).join(',')}\r\n`
}

/** One holder, its cells quoted where they must be. */
export function formatHolderLine(each: Holder): string {
  return `${columns.map(([, read]) => formatCell(String(read(each)))).join(',')}\r\n`
}

/** What begins like a formula gets a leading quote. */
function formatCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}
