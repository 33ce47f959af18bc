// SPDX-License-Identifier: Apache-2.0
import { problem } from '@holdfast/core'

/** One word to everybody, in the order of time. */
export interface AnnouncementLine {
  readonly at: number
  readonly words: string
}

/** What everybody is told of an incident while it goes on, and after. */
export interface Announcement {
  /** `an_` and random letters. */
  readonly id: string
  readonly title: string
  /** Oldest first; never changed. */
  readonly lines: readonly AnnouncementLine[]
  readonly isOver: boolean
}

const maxTitle = 200
const maxWords = 4000
const maxLines = 200

/** A title as everybody reads it. Throws `invalid-body`. */
export function parseAnnouncementTitle(input: string): string {
  return parseText(input.replace(/\p{Cc}+/gu, ' '), maxTitle, 'no title')
}

/** One more line, at the end. Throws `invalid-body`. */
export function addLine(told: Announcement, input: string, at: number, isOver: boolean): Announcement {
  if (told.lines.length >= maxLines)
    throw problem('invalid-body', { why: `it has ${maxLines} lines: begin another` })
  const words = parseText(input.replaceAll('\r\n', '\n'), maxWords, 'nothing')
  return { ...told, lines: [...told.lines, { at, words }], isOver }
}

function parseText(input: string, maxLength: number, lacking: string): string {
  const text = input.replaceAll('\0', '').toWellFormed().trim().slice(0, maxLength)
  if (text === '') throw problem('invalid-body', { why: `it says ${lacking}` })
  return text
}
