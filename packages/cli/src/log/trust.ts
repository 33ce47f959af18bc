// SPDX-License-Identifier: Apache-2.0
/** What this machine believes about a log: pinned once by a digest that came another way, kept in the user's own folder. */
import { createHash } from 'node:crypto'
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  encodeCanonical,
  parseJson,
  parseVerifierKey,
  parseWitnessPolicy,
  type VerifierKey,
  type WitnessPolicy,
} from '@holdfast/core'
import { explainRefusal, fetchBounded, type Registry } from '../registry.ts'
import { UsageError } from '../usage-error.ts'
import { nodeCrypto } from './node-crypto.ts'

const maxDocumentBytes = 1024 * 1024

/** Who signs what, as the operator of a registry makes it known. */
export interface Trust {
  /** The registry it was pinned for. */
  readonly url: string
  readonly origin: string
  readonly logKeys: readonly VerifierKey[]
  readonly policy: WitnessPolicy
  /** How many keys sign packages. */
  readonly npmKeyCount: number
  /** SHA-256 of the canonical document, in hexadecimal. */
  readonly sha256: string
  readonly document: Readonly<Record<string, unknown>>
}

/** What the registry says of itself; to be believed only when its digest is one that came another way. */
export async function fetchTrust(registry: Registry): Promise<Trust> {
  const answer = await fetchBounded(registry, 'GET', 'log/trust', maxDocumentBytes)
  if (!answer.isOk) throw explainRefusal(registry, answer)
  return readTrust(registry.url, Buffer.from(answer.body).toString('utf8'))
}

async function readTrust(url: string, text: string): Promise<Trust> {
  const document = parseDocument(text)
  const { origin, vkeys, policy, npmKeys } = document
  const isSane =
    typeof origin === 'string' &&
    isTexts(vkeys) &&
    vkeys.length > 0 &&
    typeof policy === 'string' &&
    Array.isArray(npmKeys)
  if (!isSane) throw refuse(url)
  return {
    url,
    origin,
    logKeys: await Promise.all(vkeys.map(vkey => parseVerifierKey(nodeCrypto, vkey))),
    policy: await parseWitnessPolicy(nodeCrypto, policy),
    npmKeyCount: npmKeys.length,
    sha256: createHash('sha256').update(encodeCanonical(document)).digest('hex'),
    document,
  }
}

function parseDocument(text: string): Readonly<Record<string, unknown>> {
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return {}
  return value as Readonly<Record<string, unknown>>
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.length <= 32 && value.every(each => typeof each === 'string')
}

function refuse(url: string): UsageError {
  return new UsageError(
    `${url} does not say whom to believe about its log`,
    'Check the address; an older server has no log.',
  )
}

/** Where pins and states lie, by the rules of XDG. */
export function trustFolder(): string {
  return join(process.env['XDG_CONFIG_HOME'] ?? join(homedir(), '.config'), 'holdfast', 'trust')
}

function trustFile(url: string): string {
  return join(trustFolder(), `${new URL(url).host.replace(':', '_')}.json`)
}

/** Pins what is believed from now on; the file is whole or not there. */
export async function saveTrust({ url, sha256, document }: Trust): Promise<string> {
  const file = trustFile(url)
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const aside = `${file}.${process.pid}.new`
  await writeFile(aside, `${JSON.stringify({ url, sha256, document }, undefined, 2)}\n`, { mode: 0o600 })
  await rename(aside, file)
  return file
}

/** What was pinned for a registry, or throws `UsageError`. */
export async function loadTrust(url: string): Promise<Trust> {
  const trust = await loadFile(trustFile(url))
  if (trust !== undefined) return trust
  throw new UsageError(
    `nothing is pinned for ${new URL(url).host}`,
    `Run holdfast trust init ${url} --root-sha256 HEX, with the digest from its operator.`,
  )
}

/** Everything that was pinned on this machine. */
export async function listTrust(): Promise<readonly Trust[]> {
  const files = await readdir(trustFolder()).catch(() => [])
  const found = await Promise.all(
    files.filter(file => file.endsWith('.json')).map(file => loadFile(join(trustFolder(), file))),
  )
  return found.filter(trust => trust !== undefined)
}

async function loadFile(file: string): Promise<Trust | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  const { url, sha256, document } = parseDocument(text)
  const trust = await readTrust(String(url), JSON.stringify(document ?? {}))
  if (trust.sha256 === sha256) return trust
  throw new UsageError(`${file} was changed`, 'Remove it and run holdfast trust init again.')
}
