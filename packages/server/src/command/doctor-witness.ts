// SPDX-License-Identifier: Apache-2.0
/** What doctor looks at in the direction of the log's witnesses. */
import { createHash } from 'node:crypto'
import {
  type Checkpoint,
  type PolicyWitness,
  parseCheckpoint,
  parseNote,
  verifyNote,
  webCrypto,
} from '@holdfast/core'
import { type Config, type OpenPorts, openOutbound, readWitnessPolicy } from '../main.ts'
import { type Check, type Finding, fail, ok, run, warn } from './doctor-check.ts'

type Driver = OpenPorts['driver']

interface OwnLog {
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
}

/** A check that asks every witness of the log; one that says so where there is none. */
export function witnessChecks(config: Config, driver: Driver): Check[] {
  return [{ name: 'witnesses', look: () => checkWitnesses(config, driver) }]
}

/** Throws `witness-policy-refused` for a policy that is none. */
async function checkWitnesses(config: Config, driver: Driver): Promise<readonly Finding[]> {
  if (config.witnesses === undefined)
    return [
      ok(
        'witnesses',
        'Nobody witnesses the log: the quorum is none, and each client has only what it saw before.',
      ),
    ]
  const { witnesses } = await readWitnessPolicy(config.witnesses)
  const own = await readOwnLog(driver)
  const looks = witnesses.map(witness =>
    run({ name: 'witnesses', look: () => checkWitness(config, own, witness) }),
  )
  return (await Promise.all(looks)).flat()
}

async function readOwnLog({ db }: Driver): Promise<OwnLog> {
  const fact = await db
    .selectFrom('instance')
    .select('value')
    .where('key', '=', 'log-origin')
    .executeTakeFirst()
  const head = await db.selectFrom('log_head').select(['size', 'root']).executeTakeFirst()
  return { origin: fact?.value ?? '', size: Number(head?.size ?? 0), root: head?.root ?? new Uint8Array() }
}

async function checkWitness(config: Config, own: OwnLog, witness: PolicyWitness): Promise<Finding> {
  const { name, url } = witness
  if (url === undefined)
    return warn(
      'witnesses',
      `${name} has no address, so it is never asked.`,
      'Write its address behind its key.',
    )
  const say = `${name} (${new URL(url).host})`
  const hash = createHash('sha256').update(own.origin).digest('hex')
  const { status, bytes } = await openOutbound(config.allowPrivateHosts).ask({
    url: `${url.replace(/\/+$/, '')}/${hash}/checkpoint`,
    deadlineMs: 5000,
  })
  if (status === 404) return ok('witnesses', `${say} answers, and shows nothing of this log.`)
  if (status !== 200)
    return warn(
      'witnesses',
      `${say} answers with status ${status}.`,
      'Ask whoever runs it, and check its address.',
    )
  const shown = await readShown(new TextDecoder().decode(bytes), witness)
  if (shown?.origin !== own.origin)
    return fail('witnesses', `${say} shows something that it did not sign.`, 'Check its key and its address.')
  return compareTrees(say, own, shown)
}

/** What it cosigned; undefined where its signature does not hold. */
async function readShown(text: string, { key }: PolicyWitness): Promise<Checkpoint | undefined> {
  try {
    const note = parseNote(text)
    await verifyNote(webCrypto, note, [key])
    return parseCheckpoint(note.text)
  } catch {
    return undefined
  }
}

function compareTrees(say: string, own: OwnLog, shown: Checkpoint): Finding {
  const isOther = shown.size === own.size && shown.size > 0 && Buffer.compare(shown.root, own.root) !== 0
  if (shown.size <= own.size && !isOther)
    return ok('witnesses', `${say} has cosigned ${shown.size} of ${own.size} entries.`)
  return fail(
    'witnesses',
    isOther
      ? `${say} has cosigned another tree of ${own.size} entries than the one in the database.`
      : `${say} has cosigned ${shown.size} entries, and the database has ${own.size}.`,
    'The database is older than the log, or somebody else signs with its key: stop the registry, and recover as the operating guide says.',
  )
}
