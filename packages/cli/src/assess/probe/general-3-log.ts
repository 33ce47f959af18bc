// SPDX-License-Identifier: Apache-2.0
import {
  type LockEntry,
  parseIntegrity,
  parsePackageName,
  parseVersion,
  parseWitnessPolicy,
  proveConsistency,
  verifyConsistency,
} from '@holdfast/core'
import { auditLog } from '../../log/audit.ts'
import { type Believed, type VerifiedCheckpoint, verifyCheckpoint } from '../../log/checkpoint.ts'
import { checkHistory } from '../../log/history.ts'
import { nodeCrypto } from '../../log/node-crypto.ts'
import { fetchHistory, fetchProofs } from '../../log/registry-log.ts'
import { type LogSource, openLog, readCheckpointNote, tileReader } from '../../log/source.ts'
import { fetchTrust } from '../../log/trust.ts'
import { checkVersion, type ProvenVersion } from '../../log/version.ts'
import type { Registry } from '../../registry.ts'
import { demand, type Evidence, type Probe, type ProbeInstance } from '../probe.ts'
import {
  describeReply,
  encodeName,
  listVersions,
  openProbeClient,
  type ProbeClient,
  readObject,
  until,
} from '../probe-client.ts'
import { openProbeWitness, type ProbeWitness } from '../probe-witness.ts'

/** Everything that decides what is installed stands in a log that a stranger can check, and that witnesses see. */
export const publicLog: Probe = { capability: 'general-3-log', run }

async function run(instance: ProbeInstance): Promise<Evidence> {
  const witness = await openProbeWitness()
  try {
    // What others did on a shared instance may not be for everybody to read.
    return await assess(await instance.startOther(witness.settings), witness)
  } finally {
    await witness.stop()
  }
}

async function assess(instance: ProbeInstance, witness: ProbeWitness): Promise<Evidence> {
  const client = await openProbeClient(instance)
  const registry: Registry = { url: instance.url, token: client.token }
  const log: ProbeLog = {
    registry,
    source: openLog(registry),
    believed: await readBelieved(registry, witness),
  }
  const name = client.nameOf('logged')
  await publish(client, name, '1.0.0')
  const early = await readCheckpoint(log)
  await publish(client, name, '1.0.1')
  const locked = await readLocked(client, name)
  await instance.operate('quarantine', `${name}@1.0.0`, '--reason', 'malware')
  await until(() => isTold(log, name), 'a quarantine must stand in the history of its package')
  const late = await readCheckpoint(log)
  await showConsistency(log, early, late)
  await showProofs(log, locked, late)
  await showWholeLog(log, late)
  await showWitness(client, name, witness)
  return [
    `the log begins with what it was before: ${early.size} entries, then ${late.size}`,
    'each published version is proven by its digest, and the quarantine of one stands in the chain of its package',
    `an audit of all ${late.size} entries from the static files alone finds root, tiles, chains and entries right`,
    'each checkpoint is cosigned by the witness that the policy asks for, and without it nothing new can be installed',
  ]
}

interface ProbeLog {
  readonly registry: Registry
  readonly source: LogSource
  readonly believed: Believed
}

async function readBelieved(registry: Registry, witness: ProbeWitness): Promise<Believed> {
  const { origin, logKeys } = await fetchTrust(registry)
  return { origin, logKeys, policy: await parseWitnessPolicy(nodeCrypto, witness.policy) }
}

async function publish(client: ProbeClient, name: string, version: string): Promise<void> {
  const reply = await client.publish({ name, version })
  demand(reply.status < 300, `publishing must work, and answers ${describeReply(reply)}`)
}

async function readCheckpoint({ source, believed }: ProbeLog): Promise<VerifiedCheckpoint> {
  return verifyCheckpoint(believed, await readCheckpointNote(source))
}

/** What a lock file would hold of the package. */
async function readLocked(client: ProbeClient, name: string): Promise<readonly LockEntry[]> {
  const document = readObject(await client.ask('GET', `/npm/${encodeName(name)}`), 'the packument')
  const versions = document['versions'] as Readonly<Record<string, { dist: { integrity: string } }>>
  return Object.entries(versions).map(([version, { dist }]) => ({
    name: parsePackageName(name),
    version: parseVersion(version),
    integrity: parseIntegrity(dist.integrity),
    resolved: undefined,
  }))
}

async function isTold({ registry }: ProbeLog, name: string): Promise<boolean> {
  const history = await fetchHistory(registry, parsePackageName(name))
  return history?.entries.some(({ entry }) => Buffer.from(entry).includes('"quarantine"')) === true
}

async function showConsistency(
  { source }: ProbeLog,
  early: VerifiedCheckpoint,
  late: VerifiedCheckpoint,
): Promise<void> {
  demand(early.size < late.size, `the log must grow, and has ${late.size} entries after ${early.size}`)
  const claim = { fromSize: early.size, fromRoot: early.root, toSize: late.size, toRoot: late.root }
  const path = await proveConsistency(nodeCrypto, tileReader(source), early.size, late.size)
  demand(
    await verifyConsistency(nodeCrypto, { ...claim, path }),
    'the log must begin with what it was before, and the tiles do not prove it',
  )
}

async function showProofs(
  { registry, source, believed }: ProbeLog,
  locked: readonly LockEntry[],
  head: VerifiedCheckpoint,
): Promise<void> {
  const proofs = await fetchProofs(registry, locked)
  const proven: ProvenVersion[] = []
  for (const each of locked) {
    const proof = proofs.get(`${each.name}@${each.version}`)
    demand(proof !== undefined, `${each.version} was published and must be in the log`)
    const found = await checkVersion(each, proof, await verifyCheckpoint(believed, proof.checkpoint))
    demand('report' in found, `the proof of ${each.version} must hold, and ${JSON.stringify(found)}`)
    proven.push(found)
  }
  const name = locked[0]?.name ?? parsePackageName('none')
  const reports = await checkHistory(proven, await fetchHistory(registry, name), head, tileReader(source))
  const faults = Object.fromEntries(reports.map(({ version, faults: found }) => [version, found.join()]))
  demand(
    /^quarantined/.test(faults['1.0.0'] ?? '') && faults['1.0.1'] === '',
    `the chain of the package must be whole and end with the quarantine of 1.0.0: ${JSON.stringify(faults)}`,
  )
}

async function showWholeLog({ source }: ProbeLog, late: VerifiedCheckpoint): Promise<void> {
  const ignore = () => undefined
  const { faults, faultCount } = await auditLog(source, late, ignore, ignore)
  demand(faultCount === 0, `an audit must find nothing wrong, and finds ${faults.slice(0, 3).join('; ')}`)
}

async function showWitness(client: ProbeClient, name: string, witness: ProbeWitness): Promise<void> {
  witness.setAnswering(false)
  const publishing = publish(client, name, '1.0.2')
  // Awaited below, unless the probe fails before.
  publishing.catch(() => undefined)
  await new Promise(resolve => setTimeout(resolve, 1_000))
  const shown = await listVersions(client, name)
  demand(!shown.includes('1.0.2'), 'what no witness saw in the log must not be there to install')
  witness.setAnswering(true)
  await publishing
  await until(
    async () => (await listVersions(client, name)).includes('1.0.2'),
    'what a witness saw must appear',
  )
}
