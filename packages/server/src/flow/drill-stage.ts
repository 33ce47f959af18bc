// SPDX-License-Identifier: Apache-2.0
/** What a drill is played with: accounts and packages of its own, and the door that strangers come in by. */
import {
  drillKey,
  drillLogin,
  drillScope,
  type NamePattern,
  type PackageName,
  tarballFileName,
} from '@holdfast/core'
import { type Account, authorize, drillMachine, type Grant } from '../identity/index.ts'
import { type Drill, type DrillMark, isOpenDrill } from '../incident/index.ts'
import type { DoorRequest, Ports } from '../ports.ts'
import { accountCreated, addAccount, newAccount } from './account.ts'
import { drillEvent } from './drill.ts'
import { type DrillSample, packSample, toPublishBody } from './drill-sample.ts'
import { importVersions } from './import.ts'
import { keepToken, makeNewToken, tokenCreated } from './token.ts'

const tokenLifeMs = 2 * 3600_000

/** A drill that is being played. */
export interface Stage {
  readonly ports: Ports
  readonly drill: Drill
  /** Fires when the process is to end. */
  readonly signal: AbortSignal
  readonly grant: Grant
  /** What happened so far, for the report. */
  readonly lines: { readonly at: number; readonly words: string }[]
}

/** Somebody in a drill, with what they act with. */
export interface Part {
  readonly account: Account
  readonly secret: string
  readonly tokenId: string
}

/** Opens the stage of a drill. */
export async function openStage(ports: Ports, drill: Drill, signal: AbortSignal): Promise<Stage> {
  const grant = await authorize(ports, drillMachine, 'drill:play', '')
  return { ports, drill, signal, grant, lines: [] }
}

/** A line of the report. */
export function say({ lines, ports }: Stage, words: string): void {
  lines.push({ at: ports.clock(), words })
}

/** Notes a moment of the drill, the first time only. */
export async function markDrill(
  { ports, drill, grant }: Stage,
  mark: DrillMark,
  at = ports.clock(),
): Promise<void> {
  await ports.store.commit(grant, [], async tx => {
    if (await tx.drills.mark(drill.id, mark, at)) tx.record(drillEvent(drill, mark))
  })
}

/** Throws when somebody stopped the drill, or the process is to end. */
export async function checkGoesOn({ ports, drill, signal }: Stage): Promise<void> {
  signal.throwIfAborted()
  const now = await ports.store.drills.find(drill.id)
  if (now === undefined || !isOpenDrill(now) || now.state === 'stopping') throw new DrillStopped()
}

/** Somebody wants the drill to end. */
export class DrillStopped extends Error {
  override readonly name = 'DrillStopped'
}

/** A package of this drill, by its number. */
export function nameOf({ drill }: Stage, number: number): PackageName {
  const digits = String(number + 1).padStart(3, '0')
  return `${drillScope}/${drillKey(drill.id)}-${digits}` as PackageName
}

/** Makes an account of this drill: nobody knows a password of it, and letters to it go nowhere. */
export async function makePart(stage: Stage, part: string): Promise<Part> {
  const { ports, drill, grant } = stage
  const login = drillLogin(drill.id, part)
  const email = `${login}@localhost`
  const account = newAccount(ports, { login, email, passwordHash: null, roles: [], verified: true })
  await ports.store.commit(grant, accountCreated(account, 'drill'), tx => addAccount(tx, { account }))
  return { account, ...(await makeMeans(stage, account)) }
}

/** A token of such an account, as CI has them: it publishes in the sandbox without a second factor. */
export async function makeMeans(
  { ports, grant }: Stage,
  account: Account,
): Promise<{ readonly secret: string; readonly tokenId: string }> {
  const made = makeNewToken(ports, account.id, {
    name: 'drill',
    origin: 'made',
    limits: {
      permission: 'read-write',
      packages: [`${drillScope}/*` as NamePattern],
      bypassTfa: true,
      withFactor: true,
      byOperator: true,
    },
    lifeMs: tokenLifeMs,
  })
  await ports.store.commit(grant, tokenCreated(made.token), tx => keepToken(tx, made))
  return { secret: made.secret, tokenId: made.token.id }
}

/** Fills the sandbox with packages that somebody owns, all at once: these are there before the attack. */
export async function seed({ ports }: Stage, owner: Account, samples: readonly DrillSample[]): Promise<void> {
  const arrivals = samples.map(sample => ({
    source: sample.name,
    publishedAt: ports.clock(),
    async *read() {
      yield packSample(sample)
    },
  }))
  const wishes = { access: 'public', ownerId: owner.id, hostNames: false } as const
  for await (const outcome of importVersions(ports, drillMachine, from(arrivals), wishes))
    if (outcome.kind === 'refused') throw outcome.problem
}

async function* from<T>(list: readonly T[]): AsyncGenerator<T> {
  yield* list
}

/** Knocks as a stranger would. */
export function knock({ ports }: Stage, request: DoorRequest): Promise<{ status: number; body: string }> {
  return ports.ownDoor.ask(request)
}

/** Publishes as npm does; the status of the answer. */
export async function publishAs(stage: Stage, token: string, sample: DrillSample): Promise<number> {
  const path = `/npm/${sample.name.replace('/', '%2f')}`
  return (await knock(stage, { method: 'PUT', path, token, body: toPublishBody(sample) })).status
}

/** Whether a reader gets the bytes of a version. */
export async function isServed(
  stage: Stage,
  token: string,
  name: PackageName,
  version: string,
): Promise<boolean> {
  const path = `/npm/${name}/-/${tarballFileName(name, version)}`
  return (await knock(stage, { method: 'GET', path, token })).status === 200
}

/** Whether a token may still change a package: it moves a tag that nobody uses. */
export async function isAlive(stage: Stage, token: string, name: PackageName): Promise<boolean> {
  const path = `/npm/-/package/${name.replace('/', '%2f')}/dist-tags/drill`
  const { status } = await knock(stage, { method: 'PUT', path, token, body: '"1.0.0"' })
  return status < 400
}
