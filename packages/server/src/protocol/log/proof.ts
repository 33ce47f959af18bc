// SPDX-License-Identifier: Apache-2.0
/** Proofs made when somebody asks: for one entry as a file, for the versions of a lock file at once, for a package's history. */
import { formatLogProof, isPackageName, parsePackageName, parseVersion, problem } from '@holdfast/core'
import * as v from 'valibot'
import {
  proveId,
  proveIndex,
  proveVersion,
  proveVersions,
  readPackageLog,
  readPackageLogs,
  type WantedProof,
} from '../../flow/index.ts'
import type { Answer, Call } from '../../http/index.ts'
import type { EntryProof, LogEntry, Ports } from '../../ports.ts'

const maxVersions = 500
const maxBodyBytes = 256 * 1024
const wantedVersions = v.object({
  versions: v.pipe(
    v.array(v.object({ pkg: v.string(), ver: v.string() })),
    v.maxLength(maxVersions, `at most ${maxVersions} at once`),
  ),
})

/** `GET proof?pkg=…&ver=…`, or `?id=…`, or `?index=…`: a `.tlog-proof` with the leaf in it. */
export async function readProof(ports: Ports, call: Call): Promise<Answer> {
  const proof = await prove(ports, call)
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    'content-disposition': `attachment; filename="${proof.index}.tlog-proof"`,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  }
  return { status: 200, headers, body: formatLogProof(proof) }
}

function prove(ports: Ports, { actor, query }: Call): Promise<EntryProof> {
  const [pkg, ver, id, index] = ['pkg', 'ver', 'id', 'index'].map(name => query.get(name))
  if (pkg != null && ver != null)
    return proveVersion(ports, actor, { name: parsePackageName(pkg), version: parseVersion(ver) })
  if (index != null && /^(0|[1-9]\d{0,14})$/.test(index)) return proveIndex(ports, actor, Number(index))
  if (id != null && /^[0-9a-f-]{36}$/.test(id)) return proveId(ports, actor, id)
  throw problem('log-entry-not-found', { entry: '' })
}

const wantedPackages = v.object({
  packages: v.pipe(v.array(v.string()), v.maxLength(maxVersions, `at most ${maxVersions} at once`)),
})

/** `POST packages` with `{"packages": ["…"]}`: the entries of many packages; those it leaves out are asked for by themselves. */
export async function readPackages(ports: Ports, call: Call): Promise<Answer> {
  const { packages: names } = await readBody(wantedPackages, call)
  const found = await readPackageLogs(ports, call.actor, names.filter(isPackageName))
  const packages = [...found.packages].map(([pkg, leaves]) => ({ pkg, leaves: leaves.map(describeLeaf) }))
  return json({ checkpoint: found.checkpoint.note, packages })
}

/** `POST proofs` with `{"versions": [{"pkg": "…", "ver": "…"}]}`: all of them under one checkpoint. */
export async function readProofs(ports: Ports, call: Call): Promise<Answer> {
  const { versions } = await readBody(wantedVersions, call)
  const wanted = versions.map(({ pkg, ver }) => findWanted(pkg, ver))
  const found = await proveVersions(
    ports,
    call.actor,
    wanted.filter(each => each !== undefined),
  )
  const proofs = [...found.proofs]
  const answers = wanted.map((each, at) => describe(versions[at], each && proofs.shift()))
  return json({ checkpoint: found.checkpoint, proofs: answers })
}

async function readBody<T>(schema: v.GenericSchema<unknown, T>, call: Call): Promise<T> {
  const parsed = v.safeParse(schema, await call.json(maxBodyBytes))
  if (parsed.success) return parsed.output
  const [issue] = parsed.issues
  throw problem('invalid-body', { why: `${v.getDotPath(issue) ?? 'the body'}: ${issue.message}` })
}

/** What can be no name or no version is in no log: of a lock file only the other lines are proven then. */
function findWanted(pkg: string, ver: string): WantedProof | undefined {
  try {
    return { name: parsePackageName(pkg), version: parseVersion(ver) }
  } catch {
    return undefined
  }
}

function describe(asked: { pkg: string; ver: string } | undefined, proof: EntryProof | undefined): object {
  if (proof === undefined) return { ...asked, missing: true }
  const { index, entry, path } = proof
  return { ...asked, index, entry: base64(entry), path: path.map(base64) }
}

/** `GET package/<name>`: every entry of a package, so that its chain can be followed. */
export async function readPackage(ports: Ports, { actor }: Call, words: string): Promise<Answer> {
  const { checkpoint, leaves } = await readPackageLog(ports, actor, parsePackageName(decode(words)))
  return json({ checkpoint: checkpoint.note, leaves: leaves.map(describeLeaf) })
}

function describeLeaf({ index, entry }: LogEntry): object {
  return { index, entry: base64(entry) }
}

function decode(words: string): string {
  try {
    return decodeURIComponent(words)
  } catch {
    throw problem('not-found')
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

function json(body: unknown): Answer {
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  }
  return { status: 200, headers, body: JSON.stringify(body) }
}
