// SPDX-License-Identifier: Apache-2.0
import { html, type Markup } from '../markup.ts'

const units = [
  ['year', 365 * 86_400_000],
  ['month', 30 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

/** A moment as people say it, with the exact one behind it. */
export function ago(at: number, now: number): Markup {
  const iso = new Date(at).toISOString()
  return html`<time datetime="${iso}" title="${iso.slice(0, 16).replace('T', ' ')} UTC">${relative(at, now)}</time>`
}

/** `3 days ago`, `in 2 hours`, `just now`. */
export function relative(at: number, now: number): string {
  const distance = Math.abs(now - at)
  const unit = units.find(([, ms]) => distance >= ms)
  if (unit === undefined) return at > now ? 'in less than a minute' : 'just now'
  // What is to come is rounded: a token made for 30 days ends in 30 days, not in 29.
  const count = at > now ? Math.round(distance / unit[1]) : Math.floor(distance / unit[1])
  const words = `${count} ${unit[0]}${count === 1 ? '' : 's'}`
  return at > now ? `in ${words}` : `${words} ago`
}

/** A day without its hour. */
export function day(at: number): string {
  return new Date(at).toISOString().slice(0, 10)
}

/** `12.3 kB`, in thousands as npm shows them. */
export function formatBytes(count: number): string {
  if (count < 1000) return `${count} B`
  const power = Math.min(3, Math.floor(Math.log10(count) / 3))
  const value = count / 1000 ** power
  return `${value.toFixed(value < 10 ? 1 : 0)} ${['B', 'kB', 'MB', 'GB'][power]}`
}

/** `1 version`, `2 versions`, `12,345 versions`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? one : many}`
}
