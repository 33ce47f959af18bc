// SPDX-License-Identifier: Apache-2.0
import { type Problem, problem } from '@holdfast/core'

const FULL = ['ENOSPC', 'EDQUOT']
const BROKEN = ['EIO', 'EROFS']
const SQLITE_FULL = 13
const SQLITE_BROKEN = [8, 10] // SQLITE_READONLY, SQLITE_IOERR

/** The problem `unavailable`, with what the engine or the system said kept for the log. */
export function unavailable(why: string, cause: unknown): Problem {
  return Object.assign(problem('unavailable', { why }), { cause })
}

/** What a failed write comes to: `unavailable` when the disk is full or fails, else the error itself. */
export function explainDiskError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { code = '', errcode = 0 } = error as { code?: string; errcode?: number }
  const primary = errcode & 0xff // SQLite's extended codes carry the plain one in the low byte
  if (FULL.includes(code) || primary === SQLITE_FULL) return unavailable('the disk is full', error)
  if (BROKEN.includes(code) || SQLITE_BROKEN.includes(primary)) return unavailable('the disk fails', error)
  return error
}
