// SPDX-License-Identifier: Apache-2.0
import { raw, html as template } from 'hono/html'
import type { HtmlEscapedString } from 'hono/utils/html'

/** Markup that is ready to go out. Only the template below and `trusted` make it. */
export type Markup = HtmlEscapedString

/** What a template takes: texts are escaped, markup goes in as it is, nothing for what is false or missing. */
export type Piece = string | number | boolean | null | undefined | Markup | readonly Piece[]

/** A template whose places are escaped. Pages fetch their data first, so no promise ever stands inside. */
export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return template(strings, ...pieces) as Markup
}

/** Text that is known to be safe markup: what the README's sanitiser returned, and nothing else. */
export function trusted(text: string): Markup {
  return raw(text) as Markup
}

/** Nothing. */
export const nothing: Markup = trusted('')
