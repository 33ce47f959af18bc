// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { revealHidden } from '@holdfast/core'
import { parseArgs } from '../parse-args.ts'
import {
  askRegistry,
  explainRefusal,
  fetchBounded,
  findRegistry,
  type Registry,
  readLines,
} from '../registry.ts'
import { UsageError } from '../usage-error.ts'
import { isMeasureAct, measureUsage, runMeasure } from './incident-measure.ts'

const usage = `holdfast incident list [--all]
holdfast incident open TITLE [--severity critical|high|moderate|low] [--about PACKAGE[@VERSION]]
holdfast incident show CASE
holdfast incident take CASE
holdfast incident about CASE PACKAGE[@VERSION]
holdfast incident release CASE PACKAGE@VERSION [--otp CODE]
holdfast incident note CASE TEXT
holdfast incident close CASE TEXT [--outcome confirmed|dismissed|closed] [--otp CODE]
holdfast incident export CASE [--markdown]
holdfast incident blast CASE [--csv]
holdfast incident tell CASE

Cases of a registry for those who respond to them: what is due soonest comes first. Closing tells everybody who reported
that they were right (confirmed), wrong (dismissed) or neither; dismissed opens what they alone had closed, so a second
responder says it too: the first one asks. release asks that a quarantined version be let go, or agrees with whoever asked;
what a measure closed ends with that (undo). export prints the whole record, JSON unless --markdown.
blast prints who has what the case is about, a page as JSON, or with --csv all of them; tell writes to each of them once.
Needs a token of somebody with the role: the one that npm has for the registry, or HOLDFAST_TOKEN. All take
[--registry URL] [--json]. Exit code 1 from list when a case is late.
`

const options = {
  all: { type: 'boolean' },
  outcome: { type: 'string' },
  reason: { type: 'string' },
  words: { type: 'string' },
  case: { type: 'string' },
  confirm: { type: 'string' },
  preview: { type: 'boolean' },
  otp: { type: 'string' },
  severity: { type: 'string' },
  about: { type: 'string' },
  markdown: { type: 'boolean' },
  csv: { type: 'boolean' },
  registry: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

const maxRecordBytes = 16 * 1024 * 1024

interface Listed {
  readonly id: string
  readonly title: string
  readonly state: string
  readonly severity: string
  readonly lead: string
  readonly clock?: { readonly step: string; readonly dueAt: number; readonly isLate: boolean }
}

/** Runs `holdfast incident …`: 0 when it was done, 1 when a listed case is late. */
export async function runIncident(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  if (values.help) return print(`${usage}\n${measureUsage}`)
  const [act = '', id = '', ...words] = positionals
  if (isMeasureAct(act)) return runMeasure(act, positionals.slice(1), values)
  const registry = await findRegistry(values.registry)
  const path = `incidents/${encodeURIComponent(id)}`
  const isJson = values.json === true
  if (act === 'list') return list(registry, values.all === true, isJson)
  if (id === '') throw new UsageError('a case is missing', 'holdfast incident --help shows the commands.')
  if (act === 'show' || act === 'export')
    return show(registry, path, act === 'show' ? !isJson : values.markdown === true)
  if (act === 'blast') return blast(registry, id, values.csv === true)
  if (act === 'open') {
    const opened = { title: [id, ...words].join(' '), severity: values.severity, subject: values.about }
    const made = (await askRegistry(registry, 'POST', 'incidents', { body: opened })) as { id: string }
    return print(isJson ? `${JSON.stringify(made)}\n` : `${made.id}\n`)
  }
  if (act === 'take' || act === 'tell') {
    const target = act === 'take' ? `${path}/take` : `cases/${encodeURIComponent(id)}/blast/tell`
    const done = (await askRegistry(registry, 'POST', target, { body: {} })) as { told?: number }
    return print(
      isJson ? `${JSON.stringify(done)}\n` : act === 'take' ? 'Yours.\n' : `${done.told} letters.\n`,
    )
  }
  if (act === 'about' && words.length === 1) {
    const told = await askRegistry(registry, 'POST', `${path}/subjects`, { body: { subject: words[0] } })
    return print(isJson ? `${JSON.stringify(told)}\n` : 'Added.\n')
  }
  if (act === 'release' && words.length === 1) {
    const body = { subject: words[0] }
    const told = await askRegistry(registry, 'POST', `${path}/release`, { body, otp: values.otp })
    return print(isJson ? `${JSON.stringify(told)}\n` : isAsked(told) ? asked : 'Released.\n')
  }
  if (words.length === 0 || (act !== 'note' && act !== 'close'))
    throw new UsageError('holdfast incident needs an act and words', 'holdfast incident --help shows them.')
  const body = {
    words: words.join(' '),
    ...(values.outcome === undefined ? {} : { outcome: values.outcome }),
  }
  const target = act === 'note' ? `${path}/notes` : `${path}/close`
  const told = await askRegistry(registry, 'POST', target, { body, otp: values.otp })
  if (isJson) return print(`${JSON.stringify(told)}\n`)
  if (act === 'note') return print('Noted.\n')
  return print(isAsked(told) ? asked : 'Closed.\n')
}

const asked = 'Asked: a second responder has to say so too.\n'

function isAsked(told: unknown): boolean {
  return (told as { readonly state?: string }).state === 'asked'
}

async function list(registry: Registry, isAll: boolean, isJson: boolean): Promise<number> {
  const { incidents } = (await askRegistry(registry, 'GET', 'incidents')) as { incidents: readonly Listed[] }
  const shown = incidents.filter(each => isAll || each.state !== 'closed')
  print(isJson ? `${JSON.stringify(shown)}\n` : shown.map(line).join(''))
  return shown.some(each => each.clock?.isLate === true) ? 1 : 0
}

function line({ id, title, state, severity, lead, clock }: Listed): string {
  const due =
    clock === undefined
      ? ''
      : `${clock.step} by ${new Date(clock.dueAt).toISOString()}${clock.isLate ? ' (late)' : ''}`
  const words = [id, severity, state, lead === '' ? 'no lead' : lead, due, title]
  return `${revealHidden(words.filter(each => each !== '').join('  '))}\n`
}

async function show(registry: Registry, path: string, isMarkdown: boolean): Promise<number> {
  const target = isMarkdown ? `api/v1/${path}/export` : `api/v1/${path}`
  const answer = await fetchBounded(registry, 'GET', target, maxRecordBytes)
  if (!answer.isOk) throw explainRefusal(registry, answer)
  const text = Buffer.from(answer.body).toString('utf8')
  if (!isMarkdown) return print(`${JSON.stringify(JSON.parse(text), undefined, 2)}\n`)
  return print(`${text.split('\n').map(revealHidden).join('\n')}`)
}

async function blast(registry: Registry, id: string, isCsv: boolean): Promise<number> {
  const path = `cases/${encodeURIComponent(id)}/blast`
  if (!isCsv) return print(`${JSON.stringify(await askRegistry(registry, 'GET', path), undefined, 2)}\n`)
  // A million of them is more than fits in memory.
  for await (const line of readLines(registry, `api/v1/${path}.csv`))
    if (!process.stdout.write(`${revealHidden(line)}\r\n`)) await once(process.stdout, 'drain')
  return 0
}

function print(words: string): number {
  process.stdout.write(words)
  return 0
}
