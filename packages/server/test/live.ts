// SPDX-License-Identifier: Apache-2.0
/** A whole instance on a loopback port with its folder, for tests that speak to it as strangers do: by HTTP. */
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatIntegrity, parseDigest, parseNamePattern } from '@holdfast/core'
import { createToken, ensureAccount, hostNames } from '../src/flow/index.ts'
import type { Log } from '../src/http/index.ts'
import { operator } from '../src/identity/index.ts'
import { type Instance, type Ports, type Replacements, readConfig, startInstance } from '../src/main.ts'
import { packPackage } from './fixture/tarball.ts'

/** A running instance with a person who may publish everything. */
export interface Live {
  readonly url: string
  readonly ports: Ports
  readonly folder: string
  /** The person's token. */
  readonly token: string
  /** What the instance logged as a bug: tests of hostile input end with this empty. */
  readonly errors: readonly string[]
  stop(): Promise<void>
}

export interface LiveWishes {
  /** An existing folder is used and left; without it a temporary one goes when the instance stops. */
  readonly folder?: string
  readonly flags?: Readonly<Record<string, string>>
  readonly replaced?: Replacements
  /** The person's token of an earlier start on this folder, instead of a new one. */
  readonly token?: string | undefined
}

/** Starts one; `stop` ends it and removes what it made. Every name is hosted, unless some come from an origin. */
export async function startLive(wishes: LiveWishes = {}): Promise<Live> {
  const folder = wishes.folder ?? (await mkdtemp(join(tmpdir(), 'holdfast-')))
  const errors: string[] = []
  const config = configIn(folder, wishes.flags)
  const instance = await startInstance(config, logInto(errors), Date.now, wishes.replaced)
  const { ports } = instance
  if (config.routes.length === 0) await hostNames(ports, operator, [parseNamePattern('*')])
  return {
    url: instance.url,
    ports,
    folder,
    token: wishes.token ?? (await tokenOf(ports, 'alice')),
    errors,
    async stop() {
      await stopHard(instance)
      if (wishes.folder === undefined) await rm(folder, { recursive: true, force: true })
    },
  }
}

/** The configuration of an instance in a folder, on any free port. */
export function configIn(folder: string, flags: Readonly<Record<string, string>> = {}) {
  return readConfig({ data: folder, port: '0', ...flags }, {})
}

/** A token of a person who is made when missing; it may do what they may. */
export async function tokenOf(ports: Ports, login: string): Promise<string> {
  const account = await ensureAccount(ports, operator, login)
  const limits = { permission: 'read-write', bypassTfa: true } as const
  return (await createToken(ports, operator, account, { name: 'test', limits, lifeMs: 24 * 3600_000 })).secret
}

function logInto(errors: string[]): Log {
  return {
    request() {},
    say(level, message, fields) {
      if (level === 'error') errors.push(`${message} ${JSON.stringify(fields)}`)
    },
    flush() {},
  }
}

async function stopHard(instance: Instance): Promise<void> {
  // Connections that a test left open must not delay the next one.
  await instance.stop()
}

/** What can be said of a version to be published beyond its name; all else is as npm sends it. */
export interface BodyWishes {
  readonly tag?: string
  readonly access?: 'public' | 'restricted'
  readonly files?: Readonly<Record<string, string | Buffer>>
  readonly manifest?: Readonly<Record<string, unknown>>
  /** Instead of the tarball packed from the manifest. */
  readonly tarball?: Buffer
}

/** The document that npm puts to publish a version. */
export function publishDocument(name: string, version: string, wishes: BodyWishes = {}) {
  const inTarball = { name, version, ...wishes.manifest }
  const tarball = wishes.tarball ?? packPackage(inTarball, wishes.files)
  const file = `${name}-${version}.tgz`
  const dist = {
    integrity: formatIntegrity(parseDigest(createHash('sha512').update(tarball).digest('hex'))),
    shasum: createHash('sha1').update(tarball).digest('hex'),
    tarball: `http://registry.example/${name}/-/${file}`,
  }
  return {
    _id: name,
    name,
    'dist-tags': { [wishes.tag ?? 'latest']: version },
    versions: { [version]: { ...inTarball, _id: `${name}@${version}`, dist } },
    access: wishes.access ?? null,
    _attachments: {
      [file]: {
        content_type: 'application/octet-stream',
        data: tarball.toString('base64'),
        length: tarball.length,
      },
    },
  }
}

/** Puts a publish document, or whatever a test makes of one. */
export function put(live: Pick<Live, 'url' | 'token'>, name: string, document: unknown): Promise<Response> {
  const body =
    typeof document === 'string' || document instanceof Uint8Array ? document : JSON.stringify(document)
  return fetch(`${live.url}/npm/${name.replace('/', '%2f')}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${live.token}` },
    body: body as BodyInit,
  })
}
