// SPDX-License-Identifier: Apache-2.0
import { type Dirent, readdirSync } from 'node:fs'

/** What lies in a folder; nothing where it cannot be read. */
export function entriesOf(folder: string): readonly Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}
