// SPDX-License-Identifier: Apache-2.0
/** Characters that deceive the eye, or a terminal, in what strangers wrote. */

// Turn the order of what is read (trojan source); or take no room, in runs: payloads were hidden in them, and emoji have a few.
const turning = '\\u202a-\\u202e\\u2066-\\u2069'
const unseen = '[\\u200b-\\u200f\\u2060-\\u2064\\ufe00-\\ufe0f\\u{e0000}-\\u{e01ef}]'
const deceit = new RegExp(`[${turning}]|${unseen}{4,}`, 'u')
// Beside these, what a terminal obeys. A tab does no harm, and a line of many files ends in a carriage return.
const inLine = new RegExp(`${deceit.source}|(?![\\t])(?!\\r$)\\p{Cc}`, 'gu')
const inName = /[\p{Cc}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/gu

/** A name, path or sentence with everything in it that nobody sees written out: `\u{202e}`. Nothing of it moves a terminal. */
export function revealHidden(text: string): string {
  return text.replace(inName, writeOut)
}

/** A line of a file with what deceives the eye written out; what belongs in a text, such as a tab or an emoji, stays. */
export function revealLine(line: string): string {
  return line.replace(inLine, writeOut)
}

/** Whether a text of a file deceives whoever reads it. */
export function isDeceptive(text: string): boolean {
  return deceit.test(text)
}

function writeOut(found: string): string {
  return Array.from(found, each => `\\u{${each.codePointAt(0)?.toString(16)}}`).join('')
}
