// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'

/** The version of this command line. */
export function ownVersion(): string {
  const own: { version: string } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  )
  return own.version
}
