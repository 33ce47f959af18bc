// SPDX-License-Identifier: Apache-2.0
/** The measures of `holdfast incident`: what responders close, and how it opens again. */
import { setTimeout as delay } from 'node:timers/promises'
import { revealHidden } from '@holdfast/core'
import { askRegistry, findRegistry, type Registry } from '../registry.ts'
import { UsageError } from '../usage-error.ts'

/** What `holdfast incident --help` says of them. */
export const measureUsage = `holdfast incident measures
holdfast incident quarantine KEY=VALUE... --reason CODE     package, version, origin, publisher, token, since, until, hash, indicator
holdfast incident freeze SUBJECT --reason CODE              registry, package:NAME, scope:@NAME, account:LOGIN, publisher:ID, origin:NAME
holdfast incident switch publishing|sign-up|proxying|issuer:URL --reason CODE   switch off
holdfast incident block hash=HASH|indicator=TEXT --reason CODE  refuse these bytes wherever they are, or what has this text in it as it comes in
holdfast incident revoke [account=LOGIN|publisher=ID|package=NAME|token=ID] [since=TIME] [until=TIME] --reason CODE  end tokens and sessions, for good; of everybody where nobody is named
holdfast incident confirm|undo MEASURE                      keep it past four hours, or open again; takes a second person
holdfast incident freeze-own PACKAGE [--words TEXT]         by whoever maintains it

All take [--words TEXT] [--case CASE] [--otp CODE]; --preview shows what it would close. What reaches everything asks for
--confirm WORD. CODE is one of security, malware, broken, legal, leaked, policy, request, other.

Example: holdfast incident quarantine package=evil-lib since=2026-11-20 --reason malware --preview
`

const acts = [
  'measures',
  'quarantine',
  'freeze',
  'switch',
  'block',
  'revoke',
  'confirm',
  'undo',
  'freeze-own',
] as const
type MeasureAct = (typeof acts)[number]

const progressMs = 1000

interface Values {
  readonly reason?: string
  readonly words?: string
  readonly case?: string
  readonly confirm?: string
  readonly preview?: boolean
  readonly otp?: string
  readonly registry?: string
  readonly json?: boolean
}

interface Asked {
  readonly path: string
  readonly body: Readonly<Record<string, string | undefined>>
}

interface Told {
  readonly measures?: readonly Readonly<Record<string, unknown>>[]
  readonly versions?: readonly { readonly name: string; readonly version: string }[]
}

/** Whether a word of `holdfast incident` is one of these. */
export function isMeasureAct(word: string): word is MeasureAct {
  return acts.some(each => each === word)
}

/** Runs one; 0 when it was done. */
export async function runMeasure(act: MeasureAct, words: readonly string[], values: Values): Promise<number> {
  const registry = await findRegistry(values.registry)
  const told = await ask(registry, act, words, values)
  if (values.json === true) return print(`${JSON.stringify(told)}\n`)
  if (told.measures !== undefined) return print(told.measures.map(describe).join(''))
  const { versions = [], ...rest } = told
  return print([describe(rest), ...versions.map(each => `  ${each.name}@${each.version}\n`)].join(''))
}

async function ask(
  registry: Registry,
  act: MeasureAct,
  words: readonly string[],
  values: Values,
): Promise<Told> {
  if (act === 'measures') return (await askRegistry(registry, 'GET', 'measures')) as Told
  const { path, body } = toAsk(act, words, values)
  const done = askRegistry(registry, 'POST', path, { body, otp: values.otp }) as Promise<Told>
  if (act === 'quarantine' && values.preview !== true && process.stderr.isTTY)
    // Whoever may close but not list them is told the end alone.
    await tellProgress(registry, done).catch(() => {})
  return done
}

/** Says each second how far it is, until it is done; many versions take some. */
async function tellProgress(registry: Registry, done: Promise<Told>): Promise<void> {
  const ended = new AbortController()
  const stop = () => ended.abort()
  done.then(stop, stop)
  for (;;) {
    await delay(progressMs, undefined, { signal: ended.signal }).catch(() => {})
    if (ended.signal.aborted) break
    const { measures = [] } = (await askRegistry(registry, 'GET', 'measures')) as Told
    const found = measures.find(each => each['finishedAt'] === null && each['undoneAt'] === null)
    if (found !== undefined) process.stderr.write(`\r${found['closed']} of ${found['wanted']} closed `)
  }
}

function toAsk(act: Exclude<MeasureAct, 'measures'>, words: readonly string[], values: Values): Asked {
  const [word = ''] = words
  if (word === '' && act !== 'revoke')
    throw new UsageError(`holdfast incident ${act} lacks a word`, measureUsage)
  const { reason, words: why, confirm, preview = false } = values
  const said = { reason, words: why, incident: values.case, confirm }
  const target = preview ? 'measures/preview' : 'measures'
  switch (act) {
    case 'confirm':
    case 'undo':
      return { path: `measures/${act}`, body: { id: word } }
    case 'freeze-own':
      return { path: 'measures/own', body: { package: word, words: why } }
    case 'revoke':
      return {
        path: 'measures/revoke',
        body: { ...pairs(words), ...said, preview: preview ? 'yes' : undefined },
      }
    case 'quarantine':
      return { path: target, body: { ...pairs(words), ...said, kind: 'quarantine' } }
    case 'block':
      return {
        path: target,
        body: { ...(word.includes('=') ? pairs(words) : { hash: word }), ...said, kind: 'block' },
      }
    case 'freeze':
    case 'switch':
      return { path: target, body: { ...said, kind: 'freeze', subject: word } }
  }
}

function pairs(words: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    words.map(word => {
      const at = word.indexOf('=')
      if (at < 1) throw new UsageError(`${word} is no KEY=VALUE`, measureUsage)
      return [word.slice(0, at), word.slice(at + 1)]
    }),
  )
}

/** What is there of it, as `key: value`. */
function describe(told: Readonly<Record<string, unknown>>): string {
  const shown = Object.entries(told).filter(([, value]) => value !== null && value !== '')
  const time = (key: string, value: unknown) =>
    key.endsWith('At') && typeof value === 'number' ? new Date(value).toISOString() : String(value)
  return `${revealHidden(shown.map(([key, value]) => `${key}: ${time(key, value)}`).join('  '))}\n`
}

function print(words: string): number {
  process.stdout.write(words)
  return 0
}
