// SPDX-License-Identifier: Apache-2.0
import { setTimeout as delay } from 'node:timers/promises'
import { drillLogin, revealHidden } from '@holdfast/core'
import { parseArgs } from '../parse-args.ts'
import { askRegistry, findRegistry, type Registry } from '../registry.ts'
import { UsageError } from '../usage-error.ts'

const usage = `holdfast drill worm|account-takeover|leaked-token|upstream-takedown [--people] [--packages N]
holdfast drill list
holdfast drill show DRILL
holdfast drill stop DRILL

Plays an attack in a marked sandbox of a live registry, measures how long it takes until it is seen, told and contained, and
removes what it made. Nobody's packages are touched. Without --people it waits for what the registry does by itself; with it, for
the people who respond, who get a letter that says DRILL (worm and account-takeover only; an hour at most). --respond does what
they would: two commands with your own token. --packages says how many packages a worm goes for (100).
Needs a token of somebody who operates or responds: the one that npm has for the registry, or HOLDFAST_TOKEN. All take
[--registry URL] [--otp CODE] [--json]. Exit code 1 when it was not contained.

Example: holdfast drill worm --people
`

const options = {
  people: { type: 'boolean' },
  respond: { type: 'boolean' },
  packages: { type: 'string' },
  otp: { type: 'string' },
  registry: { type: 'string' },
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

const askEveryMs = 500

interface Drill {
  readonly id: string
  readonly playbook: string
  readonly path: string
  readonly packages: number
  readonly state: string
  readonly startedAt: number
  readonly endedAt: number | null
  readonly attackAt: number | null
  readonly detectedAt: number | null
  readonly containedAt: number | null
  readonly notifiedAt: number | null
  readonly report: {
    readonly infected: number
    readonly refused: number
    readonly actions: readonly { readonly at: number; readonly by: string; readonly what: string }[]
    readonly lines: readonly { readonly at: number; readonly words: string }[]
    readonly fault: string
    readonly stays: string
  }
}

/** Runs `holdfast drill …`: 0 when it was contained, or listed; 1 when not. */
export async function runDrill(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args, allowPositionals: true, options })
  if (values.help) return print(usage)
  const [word = '', id = ''] = positionals
  if (word === '') throw new UsageError('a playbook is missing', 'holdfast drill --help names them.')
  const registry = await findRegistry(values.registry)
  const isJson = values.json === true
  if (word === 'list') return list(registry, isJson)
  if (word === 'show' || word === 'stop') {
    if (id === '') throw new UsageError('a drill is missing', 'holdfast drill list shows them.')
    return word === 'show' ? show(await read(registry, id), isJson) : stop(registry, id, values.otp)
  }
  const packages = values.packages === undefined ? {} : { packages: Number(values.packages) }
  const path = values.people || values.respond ? 'people' : 'automatic'
  const body = { playbook: word, path, ...packages }
  const begun = (await askRegistry(registry, 'POST', 'drills', { body, otp: values.otp })) as Drill
  const responded = values.respond ? respond(registry, begun.id, values.otp) : undefined
  const ended = await waitFor(registry, begun.id, drill => drill.endedAt !== null)
  await responded
  return show(ended, isJson)
}

async function list(registry: Registry, isJson: boolean): Promise<number> {
  const { drills } = (await askRegistry(registry, 'GET', 'drills')) as { drills: readonly Drill[] }
  if (isJson) return print(`${JSON.stringify(drills)}\n`)
  return print(drills.map(each => `${lineOf(each)}\n`).join(''))
}

async function stop(registry: Registry, id: string, otp: string | undefined): Promise<number> {
  await askRegistry(registry, 'POST', `drills/${encodeURIComponent(id)}/stop`, { body: {}, otp })
  return print('It ends, and is cleaned up.\n')
}

async function read(registry: Registry, id: string): Promise<Drill> {
  return (await askRegistry(registry, 'GET', `drills/${encodeURIComponent(id)}`)) as Drill
}

async function waitFor(registry: Registry, id: string, isSo: (drill: Drill) => boolean): Promise<Drill> {
  for (;;) {
    const drill = await read(registry, id)
    if (isSo(drill) || drill.endedAt !== null) return drill
    await delay(askEveryMs)
  }
}

/** What a responder would do on the letter: close all that the account published, and end what it acts with. */
async function respond(registry: Registry, id: string, otp: string | undefined): Promise<void> {
  const { endedAt } = await waitFor(
    registry,
    id,
    drill => drill.notifiedAt !== null || drill.detectedAt !== null,
  )
  if (endedAt !== null) return
  const victim = drillLogin(id, 'victim')
  const said = { reason: 'malware', words: 'a drill' }
  const quarantine = { kind: 'quarantine', publisher: victim, ...said }
  await askRegistry(registry, 'POST', 'measures/revoke', { body: { account: victim, ...said }, otp })
  await askRegistry(registry, 'POST', 'measures', { body: quarantine, otp })
}

function show(drill: Drill, isJson: boolean): number {
  if (isJson) print(`${JSON.stringify(drill)}\n`)
  else print(describe(drill))
  return drill.endedAt === null || drill.containedAt !== null ? 0 : 1
}

function describe(drill: Drill): string {
  const { report } = drill
  const lines = [
    lineOf(drill),
    '',
    ...report.lines.map(({ at, words }) => `${offset(drill, at).padStart(9)}  ${words}`),
    '',
    `infected ${report.infected} of ${drill.packages} packages, refused ${report.refused} times`,
    `actions of people ${report.actions.length}`,
    ...report.actions.map(({ at, by, what }) => `${offset(drill, at).padStart(9)}  ${by}: ${what}`),
    ...(report.fault === '' ? [] : [`not as it should be: ${report.fault}`]),
    ...(report.stays === '' ? [] : [`what stays: ${report.stays}`]),
  ]
  return `${lines.map(revealHidden).join('\n')}\n`
}

function lineOf(drill: Drill): string {
  const times = [
    `seen ${offset(drill, drill.detectedAt)}`,
    `told ${offset(drill, drill.notifiedAt)}`,
    `contained ${offset(drill, drill.containedAt)}`,
  ]
  const began = new Date(drill.startedAt).toISOString()
  return [drill.id, began, drill.playbook, drill.path, drill.state, ...times].join('  ')
}

/** From the first act of the attacker on. */
function offset({ attackAt }: Drill, at: number | null): string {
  if (at === null || attackAt === null) return 'never'
  if (at < attackAt) return 'before'
  return `${((at - attackAt) / 1000).toFixed(1)} s`
}

function print(words: string): number {
  process.stdout.write(words)
  return 0
}
