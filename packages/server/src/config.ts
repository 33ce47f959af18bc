// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'

const bytes = z.coerce.number().int().positive()
const list = z.preprocess(
  value => (typeof value === 'string' ? value.split(/[\s,]+/).filter(Boolean) : value),
  z.array(z.string()),
)
const url = z.string().regex(/^https?:\/\/[^\s/?#]+(\/[^\s?#]*)?$/, 'must be an http or https address')

/** Every key of `holdfast.yaml`, also read from `HOLDFAST_<KEY>`, with its default. Documented in docs/operating.md. */
const keys = {
  /** Folder with everything the embedded instance keeps. */
  data: z.string().default('./data'),
  port: z.coerce.number().int().min(0).max(65535).default(4873),
  /** Address to bind. Anything but loopback demands `publicUrl` and `read`. */
  host: z.string().default('127.0.0.1'),
  /** Address by which clients reach this instance; fixes tarball addresses and the origin of its pages. */
  publicUrl: url.optional(),
  /** Who may read public packages. */
  read: z.enum(['anyone', 'signed-in']).optional(),
  /** Who may make an account. */
  signUp: z.enum(['invitation', 'open']).default('invitation'),
  /** Addresses or networks (CIDR) whose X-Forwarded-* headers are believed. */
  trustedProxies: list.default([]),
  /** Folder of the signing keys; may lie outside the data folder. */
  keys: z.string().optional(),
  /** `postgres://…` instead of the embedded SQLite. */
  database: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must be a postgres:// address')
    .optional(),
  /** `smtp://user:password@host:port`; without it mail waits in the outbox. */
  smtp: z
    .string()
    .regex(/^smtps?:\/\//, 'must be an smtp:// or smtps:// address')
    .optional(),
  mailFrom: z.string().default('holdfast@localhost'),
  maxTarballBytes: bytes.default(256 * 1024 * 1024),
  maxUnpackedBytes: bytes.default(1024 * 1024 * 1024),
  /** Memory for ready tarballs and for ready documents, each. */
  cacheBytes: bytes.default(64 * 1024 * 1024),
  /** Unpublish policy: hours in which an owner may take a version back without further conditions. */
  unpublishHours: z.coerce.number().min(0).default(72),
} as const

const schema = z.strictObject(keys)
type Raw = z.infer<typeof schema>

/** What an instance is told, frozen; every folder absolute. `publicUrl` has no trailing slash. */
export type Config = Readonly<
  Omit<Raw, 'publicUrl' | 'read' | 'keys'> & { publicUrl: string; read: 'anyone' | 'signed-in'; keys: string }
>

/** The names of all keys, for the command line and the documentation test. */
export const configKeys: readonly string[] = Object.keys(keys)

/** Everything that is wrong with a configuration, at once. */
export class ConfigFaults extends Error {
  readonly faults: readonly string[]
  constructor(faults: readonly string[]) {
    super(faults.join('\n'))
    this.name = 'ConfigFaults'
    this.faults = faults
  }
}

/**
 * Reads flags, then environment, then the file; throws `ConfigFaults` with all faults. `port: 0` leaves `publicUrl`
 * with port 0: `withPort` fills it in once the socket is bound.
 */
export function readConfig(
  flags: Record<string, string>,
  environment: NodeJS.ProcessEnv,
  file?: string,
): Config {
  const faults: string[] = []
  const given = { ...readFile(file, faults), ...fromEnvironment(environment), ...flags }
  const parsed = schema.safeParse(given)
  if (!parsed.success) faults.push(...parsed.error.issues.map(explain))
  const raw = parsed.success ? parsed.data : undefined
  if (raw !== undefined) faults.push(...exposureFaults(raw), ...proxyFaults(raw))
  if (raw === undefined || faults.length > 0) throw new ConfigFaults(faults)
  const data = resolve(raw.data)
  return Object.freeze({
    ...raw,
    data,
    keys: resolve(raw.keys ?? `${data}/keys`),
    read: raw.read ?? 'anyone',
    publicUrl: (raw.publicUrl ?? `http://${bracket(raw.host)}:${raw.port}`).replace(/\/+$/, ''),
  })
}

/** The same configuration on the port that was really bound. */
export function withPort(config: Config, port: number): Config {
  if (config.port !== 0) return config
  return Object.freeze({ ...config, port, publicUrl: config.publicUrl.replace(/:0$/, `:${port}`) })
}

/** True for 127.0.0.0/8, ::1 and localhost. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** Binding beyond loopback is a decision, so it has to be spelled out. */
function exposureFaults(raw: Raw): string[] {
  if (isLoopback(raw.host)) return []
  const faults = []
  if (raw.read === undefined)
    faults.push(
      `read: spell out who may read (anyone or signed-in), because host ${raw.host} is not loopback`,
    )
  if (raw.publicUrl === undefined)
    faults.push(`publicUrl: say how clients reach this instance, because host ${raw.host} is not loopback`)
  else if (!raw.publicUrl.startsWith('https://') && !isLoopback(new URL(raw.publicUrl).hostname)) {
    faults.push('publicUrl: must be https, unless it is loopback')
  }
  return faults
}

function proxyFaults(raw: Raw): string[] {
  const bad = raw.trustedProxies.filter(
    each => isIP(each.split('/')[0] ?? '') === 0 || !/^[^/]+(\/\d{1,3})?$/.test(each),
  )
  return bad.map(each => `trustedProxies: ${each} is neither an address nor a network like 10.0.0.0/8`)
}

function readFile(file: string | undefined, faults: string[]): Record<string, unknown> {
  if (file === undefined) return {}
  try {
    const content: unknown = parse(readFileSync(file, 'utf8')) ?? {}
    if (typeof content === 'object' && !Array.isArray(content)) return content as Record<string, unknown>
    faults.push(`${file}: must be a list of "key: value" lines`)
  } catch (error) {
    faults.push(`${file}: ${error instanceof Error ? error.message : String(error)}`)
  }
  return {}
}

function fromEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const found: Record<string, string> = {}
  for (const key of configKeys) {
    const value = environment[environmentName(key)]
    if (value !== undefined && value !== '') found[key] = value
  }
  return found
}

/** `publicUrl` → `HOLDFAST_PUBLIC_URL`. */
export function environmentName(key: string): string {
  return `HOLDFAST_${key.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase()}`
}

function explain(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys')
    return `unknown: ${issue.keys.join(', ')} (known: ${configKeys.join(', ')})`
  return `${issue.path.join('.')}: ${issue.message}`
}

function bracket(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host
}
