// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { findNearestWord } from '@holdfast/core'
import { type Config, readConfig } from '../config.ts'
import { withKeptOrigin } from './first-origin.ts'
import { atServedAddress } from './served-address.ts'

/** A command line that says nothing we understand; its message tells what would. */
export class UsageError extends Error {
  readonly hint = ''
}

/** Options as declared: `value` takes one, `list` one or more (all words up to the next option), `flag` none. */
export type Options = Readonly<Record<string, 'value' | 'list' | 'flag'>>

export interface Arguments {
  readonly words: readonly string[]
  readonly values: Readonly<Record<string, string>>
  readonly lists: Readonly<Record<string, readonly string[]>>
  readonly flags: ReadonlySet<string>
}

/** Reads a command line; throws `UsageError` with the usage text for anything unknown. */
export function readArguments(args: readonly string[], options: Options, usage: string): Arguments {
  const spread = spreadLists(args, options)
  try {
    const { values, positionals } = parseArgs({
      args: spread,
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(options).map(([name, kind]) =>
          kind === 'flag'
            ? [name, { type: 'boolean' as const, ...(name === 'help' ? { short: 'h' } : {}) }]
            : [name, { type: 'string' as const, multiple: kind === 'list' }],
        ),
      ),
    })
    const found = Object.entries(values)
    return {
      words: positionals,
      values: Object.fromEntries(
        found.filter((each): each is [string, string] => typeof each[1] === 'string'),
      ),
      lists: Object.fromEntries(found.filter((each): each is [string, string[]] => Array.isArray(each[1]))),
      flags: new Set(found.filter(([, value]) => value === true).map(([name]) => name)),
    }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const typed = /^Unknown option '(--([^']*))'/.exec(message)
    const said = typed === null ? message : `There is no option ${typed[1]}.${suggest(typed[2], options)}`
    throw new UsageError(`${said}\n\n${usage}`)
  }
}

/** Which word of a list was likely meant, as the end of a sentence; nothing where none is near. */
export function suggest(typed: string | undefined, words: Readonly<Record<string, unknown>>): string {
  const meant = findNearestWord(typed ?? '', Object.keys(words))
  return meant === undefined ? '' : ` Did you mean ${meant}?`
}

/** `--publish a b` reads as `--publish a --publish b`. */
function spreadLists(args: readonly string[], options: Options): string[] {
  const spread: string[] = []
  let list: string | undefined
  for (const arg of args) {
    if (arg.startsWith('--')) {
      list = options[arg.slice(2)] === 'list' ? arg : undefined
      if (list === undefined) spread.push(arg)
    } else if (list !== undefined) spread.push(list, arg)
    else spread.push(arg)
  }
  return spread
}

/** Options every verb of the server takes. */
export const configOptions = {
  data: 'value',
  config: 'value',
  port: 'value',
  host: 'value',
} as const satisfies Options

/** The configuration of an instance that is, or was, served: its address too where only `serve` was told. Throws `ConfigFaults`. */
export function configOf(read: Arguments): Config {
  const told = toldConfigOf(read)
  return read.values['port'] === undefined ? atServedAddress(told) : told
}

/** The configuration from command line, environment and file, as `serve` takes it. Throws `ConfigFaults`. */
export function toldConfigOf({ values }: Arguments): Config {
  const { config, ...flags } = values
  const file = config ?? (existsSync('holdfast.yaml') ? 'holdfast.yaml' : undefined)
  const known = Object.fromEntries(Object.entries(flags).filter(([name]) => name in configOptions))
  return withKeptOrigin(readConfig(known, process.env, file))
}

/** `90s`, `30m`, `1h`, `7d` in milliseconds. */
export function duration(text: string): number {
  const found = /^(\d{1,6})([smhd])$/.exec(text)
  const unit = { s: 1000, m: 60_000, h: 3600_000, d: 24 * 3600_000 }[found?.[2] ?? '']
  if (found === null || unit === undefined || Number(found[1]) === 0)
    throw new UsageError('--expires takes a time such as 30m, 1h or 7d.')
  return Number(found[1]) * unit
}
