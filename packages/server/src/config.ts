// SPDX-License-Identifier: Apache-2.0
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import {
  findNearestWord,
  isSecurityContact,
  type NamePattern,
  parseJson,
  parseNamePattern,
} from '@holdfast/core'
import * as v from 'valibot'
import { type NameRoute, parseRules, type Rule, RuleFaults } from './catalog/index.ts'
import { type Origin, originFaults, originList, routeList, routesOf } from './origin.ts'

const text = v.string('must be text')
const number = v.pipe(
  v.union(
    [v.number(), v.pipe(v.string(), v.regex(/^\d+(\.\d+)?$/), v.transform(Number))],
    'must be a number',
  ),
  v.finite(),
)
const bytes = v.pipe(number, v.integer(), v.minValue(1, 'must be at least 1'))
const list = v.pipe(
  v.union(
    [
      v.array(text),
      v.pipe(
        v.string(),
        v.transform(words => words.split(/[\s,]+/).filter(Boolean)),
      ),
    ],
    'must be a list',
  ),
)
/** Paths may hold blanks. */
const fileList = v.pipe(
  v.union(
    [
      v.array(text),
      v.pipe(
        v.string(),
        v.transform(words =>
          words
            .split(',')
            .map(each => each.trim())
            .filter(Boolean),
        ),
      ),
    ],
    'must be a list of files',
  ),
)
const patternList = v.pipe(
  list,
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    try {
      return dataset.value.map(parseNamePattern)
    } catch (error) {
      addIssue({ message: error instanceof Error ? error.message : String(error) })
      return NEVER
    }
  }),
)
const url = v.pipe(text, v.regex(/^https?:\/\/[^\s/?#]+(\/[^\s?#]*)?$/, 'must be an http or https address'))
const origin = v.pipe(
  text,
  // Pages, cookies, passkeys and npm's own login stand at the root of a host.
  v.regex(
    /^https?:\/\/[^\s/?#@]+\/?$/,
    'must be an http or https address without a path, like https://npm.example',
  ),
)

/** Who runs the jobs of an issuer, and so what its tokens say. */
export type CiProvider = 'github' | 'gitlab' | 'circleci' | 'generic'

/** A CI service whose jobs may be trusted. */
export interface CiIssuer {
  readonly provider: CiProvider
  /** Exactly as its tokens say it. */
  readonly issuer: string
  /** Generic issuer: the claims that every publisher binds. */
  readonly claims: readonly string[]
}

const publicIssuers: Readonly<Record<string, string>> = {
  github: 'https://token.actions.githubusercontent.com',
  gitlab: 'https://gitlab.com',
  circleci: 'https://oidc.circleci.com',
}

/** `github`, `gitlab=https://git.acme.example` or `generic:sub+project=https://ci.acme.example`. */
function readIssuer(text: string): CiIssuer | undefined {
  const form = /^(github|gitlab|circleci|generic)(?::([^=\s]+))?(?:=(https?:\/\/[^\s?#]+))?$/
  const [, provider = '', claims, given] = form.exec(text) ?? []
  const issuer = given ?? publicIssuers[provider]
  const bound = claims?.split('+').filter(Boolean) ?? []
  // An issuer without claims would be everybody who has a job there.
  if (issuer === undefined || (provider === 'generic') !== bound.length > 0) return undefined
  return { provider: provider as CiProvider, issuer, claims: bound }
}

/** What people may want to hear of where they talk to each other. */
export type AlertKind = (typeof alertKinds)[number]
const alertKinds = [
  'held',
  'blocked',
  'waiver',
  'takedown',
  'upstream-fault',
  'private-name',
  'feed-silent',
  'feed-entry',
  'report',
  'hold-undecided',
] as const

/** What a webhook sends: every field, the message of one tool, or `text` alone, which most others take. */
const webhookShapes = ['json', 'chat', 'slack', 'mattermost', 'discord', 'teams'] as const

const webhook = v.pipe(
  v.strictObject({
    url: v.pipe(text, v.regex(/^https?:\/\/[^\s/?#@]+(\/\S*)?$/, 'must be an http or https address')),
    on: v.optional(
      v.pipe(list, v.array(v.picklist(alertKinds, `must be some of ${alertKinds.join(', ')}`))),
      [...alertKinds],
    ),
    as: v.optional(v.picklist(webhookShapes, `must be one of ${webhookShapes.join(', ')}`), 'json'),
    secret: v.optional(v.pipe(text, v.minLength(16, 'must have 16 characters or more'))),
  }),
  // The address itself may be a secret, as it is at most chat tools.
  v.transform(told => ({ ...told, id: createHash('sha256').update(told.url).digest('hex').slice(0, 12) })),
)

/** Somewhere that wants to hear of alerts. */
export type Webhook = Readonly<v.InferOutput<typeof webhook>>

/** A value that the environment gives as JSON text, and the file as it is. */
const structured = v.rawTransform<unknown, unknown>(({ dataset, addIssue, NEVER }) => {
  if (typeof dataset.value !== 'string') return dataset.value
  try {
    // Of a key that is there twice nobody could say which one counts.
    return parseJson(dataset.value)
  } catch {
    addIssue({ message: 'must be JSON' })
    return NEVER
  }
})

const rules = v.rawTransform<unknown, readonly Rule[]>(({ dataset, addIssue, NEVER }) => {
  try {
    return parseRules(dataset.value)
  } catch (error) {
    if (!(error instanceof RuleFaults)) throw error
    for (const message of error.faults) addIssue({ message })
    return NEVER
  }
})

/** Every key of `holdfast.yaml`, also read from `HOLDFAST_<KEY>`, with its default. Documented in docs/operating.md. */
const keys = {
  /** Folder with everything the embedded instance keeps. */
  data: v.optional(text, './data'),
  port: v.optional(
    v.pipe(number, v.integer(), v.minValue(0), v.maxValue(65535, 'must be a port, at most 65535')),
    4873,
  ),
  /** Address to bind. Anything but loopback demands `publicUrl` and `read`. */
  host: v.optional(text, '127.0.0.1'),
  /** Address by which clients reach this instance; fixes tarball addresses and the origin of its pages. */
  publicUrl: v.optional(origin),
  /** Who may read public packages. */
  read: v.optional(v.picklist(['anyone', 'signed-in'], 'must be anyone or signed-in')),
  /** Who may make an account. */
  signUp: v.optional(v.picklist(['invitation', 'open'], 'must be invitation or open'), 'invitation'),
  /** Mail domains whose people may make an account where sign-up is open; empty for any. Subdomains are others. */
  signUpDomains: v.optional(list, []),
  /** Whether every change of a package needs an account with a second factor; critical packages need passkeys always. */
  mfa: v.optional(v.picklist(['required', 'optional'], 'must be required or optional'), 'required'),
  /** Until the end of which day (UTC) accounts without a second factor may still change packages. */
  mfaGraceUntil: v.optional(v.pipe(text, v.isoDate('must be a date such as 2026-12-31'))),
  /** Whether the machine's owner may make tokens for accounts with `operator token`. */
  operatorTokens: v.optional(v.picklist(['on', 'off'], 'must be on or off'), 'on'),
  /** File or address with the public keys of a secret-scanning programme that reports leaked tokens. */
  secretScanningKeys: v.optional(text),
  /** Addresses or networks (CIDR) whose X-Forwarded-* headers are believed. */
  trustedProxies: v.optional(list, []),
  /** Hosts, addresses or networks (CIDR) on private addresses that this instance may connect to, also by plain http. */
  allowPrivateHosts: v.optional(list, []),
  /** CI services whose jobs may publish without a stored secret. */
  ciIssuers: v.optional(
    v.pipe(
      list,
      v.check(
        entries => entries.every(entry => readIssuer(entry) !== undefined),
        'must be entries like github, gitlab=https://git.acme.example or generic:sub+project=https://ci.acme.example',
      ),
      v.transform(entries => entries.flatMap(entry => readIssuer(entry) ?? [])),
    ),
    Object.keys(publicIssuers),
  ),
  /** Folder of the signing keys; may lie outside the data folder. */
  keys: v.optional(text),
  /** `postgres://…` instead of the embedded SQLite. */
  database: v.optional(v.pipe(text, v.regex(/^postgres(ql)?:\/\//, 'must be a postgres:// address'))),
  /** `smtp://user:password@host:port`; without it mail waits in the outbox. */
  smtp: v.optional(v.pipe(text, v.regex(/^smtps?:\/\//, 'must be an smtp:// or smtps:// address'))),
  mailFrom: v.optional(text, 'holdfast@localhost'),
  /** Range service that says which passwords have leaked, such as `https://api.pwnedpasswords.com/range`; without it the list that comes with us decides alone. */
  leakedPasswords: v.optional(url),
  /** Where every event is sent as it happens: `https://…` as JSON lines, or `syslog+tls://`, `syslog+tcp://`, `syslog+udp://`. */
  auditPush: v.optional(
    v.pipe(
      text,
      v.regex(/^(https?|syslog\+(tls|tcp|udp)):\/\/[^\s/?#@]+(\/\S*)?$/, 'must be https:// or syslog+tls://'),
    ),
  ),
  /** Sent as a bearer token with `auditPush` by http. */
  auditPushToken: v.optional(text),
  /** Where alerts go: a list of `url`, `on` (kinds), `as` (`chat` or `json`) and `secret`. */
  webhooks: v.optional(v.pipe(v.unknown(), structured, v.array(webhook, 'must be a list')), []),
  /** Upstream registries by name, or `none`. Where nobody says, `serve` asks npm on this machine for its registry, once. */
  origins: v.optional(
    v.pipe(
      v.unknown(),
      v.transform(said => (said === 'none' ? {} : said)),
      structured,
      originList,
    ),
  ),
  /** Which names come from which origin; all of them, where there is one origin and nobody says. Names hosted here come from nowhere else. */
  routes: v.optional(v.pipe(v.unknown(), structured, routeList)),
  /** Largest document of an upstream package, inflated. */
  maxPackumentBytes: v.optional(bytes, 64 * 1024 * 1024),
  maxTarballBytes: v.optional(bytes, 256 * 1024 * 1024),
  /** What the bytes of upstream versions may take on disk; the least recently used go first. */
  cacheQuotaBytes: v.optional(bytes),
  maxUnpackedBytes: v.optional(bytes, 1024 * 1024 * 1024),
  /** Memory for ready tarballs and for ready documents, each. */
  cacheBytes: v.optional(bytes, 64 * 1024 * 1024),
  /** RDAP service that knows when domains were registered, such as `https://rdap.org`; without it nobody looks at mail domains. */
  rdap: v.optional(url),
  /** Name servers to ask about mail domains, `address` or `address:port`; without them those of the machine. */
  nameServers: v.optional(list, []),
  /** How long a recovery by one proof waits, while its owner can stop it. At least a day. */
  recoveryWaitHours: v.optional(v.pipe(number, v.minValue(24, 'must be at least 24')), 72),
  /** Rules of the firewall, a list; where it is given it is the truth, else the policy is what the operator made of the defaults. */
  policy: v.optional(v.pipe(v.unknown(), structured, rules)),
  /**
   * Where advisories in OSV format come from every 15 minutes: `osv` (the public collection, malware included), the http address of a
   * mirror of such a dump, or a file or folder; `name=` before it names the feed. `osv` where an origin is public, else none.
   */
  advisoryFeeds: v.optional(list),
  /** Files with the names that upstreams have, or http addresses of their feeds of changes: what private names are looked for in. */
  upstreamNames: v.optional(list, []),
  /** Private names, or patterns, of which upstreams may be asked one by one: they learn them by it. */
  askUpstreamsAbout: v.optional(patternList, []),
  /** Folder with rules of YARA (`*.yar`) of the operator's own, beside those of the release. */
  screeningRules: v.optional(text),
  /** Verifier keys (`name+id+base64`) of who may make them: then `screeningRules` and `popularNames` count as far as the signed list beside them says. */
  packKeys: v.optional(list, []),
  /** File with the names that are well used, one a line, for the rule `unpopular`. */
  popularNames: v.optional(text),
  /** Files with the trusted roots (`trusted_root.json`) that provenance is verified against, whichever of them fits; without one none is. */
  sigstoreTrustRoot: v.optional(fileList, []),
  /** How long ago what is published with provenance may have been signed. */
  provenanceMaxAgeMinutes: v.optional(v.pipe(number, v.minValue(1, 'must be at least 1')), 60),
  /** Whether the public repositories that versions were built from are asked, once a week each, if they are still there. */
  recheckSources: v.optional(v.picklist(['off', 'weekly'], 'must be off or weekly'), 'off'),
  /** Whether this registry assesses itself, on throw-away instances on this machine. */
  selfAssessment: v.optional(v.picklist(['off', 'weekly'], 'must be off or weekly'), 'off'),
  /** Whether this registry rehearses incidents in a sandbox of its own, each playbook every 90 days. */
  drills: v.optional(v.picklist(['off', 'quarterly'], 'must be off or quarterly'), 'off'),
  /** File with the witnesses of the log and how many of them a checkpoint needs (C2SP tlog-policy); without it none is asked. */
  witnesses: v.optional(text),
  /** Where weaknesses are reported, the first preferred: `mailto:`, `tel:` or https addresses. */
  securityContact: v.optional(
    v.pipe(
      list,
      v.check(
        contacts => contacts.every(isSecurityContact),
        'must be addresses like mailto:security@acme.example or https://acme.example/report',
      ),
    ),
    [],
  ),
  /** Languages in which reports are read. */
  securityLanguages: v.optional(list, ['en']),
  /** Unpublish policy: hours in which an owner may take a version back without further conditions. */
  habitDays: v.optional(v.pipe(number, v.minValue(0), v.maxValue(90)), 7),
  unpublishHours: v.optional(v.pipe(number, v.minValue(0)), 72),
} as const

const schema = v.strictObject(keys)
type Raw = v.InferOutput<typeof schema>

/** The keys that decide who can reach this instance. */
const reach = v.object({
  host: keys.host,
  publicUrl: keys.publicUrl,
  read: keys.read,
  trustedProxies: keys.trustedProxies,
  allowPrivateHosts: keys.allowPrivateHosts,
})
type Reach = v.InferOutput<typeof reach>

/** The keys that say where names come from. */
const sources = v.object({ origins: keys.origins, routes: keys.routes })

/** The keys that say what may come in, and who is believed. */
const firewall = v.object({
  origins: keys.origins,
  policy: keys.policy,
  popularNames: keys.popularNames,
  sigstoreTrustRoot: keys.sigstoreTrustRoot,
  witnesses: keys.witnesses,
})

/** What an instance is told, frozen; every folder absolute. `publicUrl` has no trailing slash. */
export type Config = Readonly<
  Omit<Raw, 'publicUrl' | 'read' | 'keys' | 'routes'> & {
    publicUrl: string
    read: 'anyone' | 'signed-in'
    keys: string
    routes: readonly NameRoute[]
  }
>

/** The names of all keys, for the command line and the documentation test. */
export const configKeys: readonly string[] = Object.keys(keys)

/** Everything that is wrong with a configuration, at once. */
export class ConfigFaults extends Error {
  readonly hint = 'Correct them in the configuration; docs/operating.md lists its keys.'
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
  const faults: string[] = misspeltFaults(environment)
  const given = { ...readConfigFile(file, faults), ...fromEnvironment(environment), ...flags }
  const parsed = v.safeParse(schema, given)
  if (!parsed.success) faults.push(...parsed.issues.map(explain))
  const raw = parsed.success ? parsed.output : undefined
  // What goes across keys is told also when another key is wrong: all faults at once.
  const across = v.safeParse(reach, given)
  if (across.success) faults.push(...exposureFaults(across.output), ...networkFaults(across.output))
  const from = v.safeParse(sources, given)
  if (from.success) faults.push(...originFaults(from.output.origins, from.output.routes))
  if (across.success && from.success) faults.push(...openedFaults(across.output, from.output))
  const wall = v.safeParse(firewall, given)
  if (wall.success) faults.push(...policyFaults(wall.output))
  if (raw === undefined || faults.length > 0) throw new ConfigFaults(faults)
  const data = resolve(raw.data)
  return Object.freeze({
    ...raw,
    data,
    keys: resolve(raw.keys ?? `${data}/keys`),
    read: raw.read ?? 'anyone',
    routes: raw.routes ?? routesOf(raw.origins),
    publicUrl: (raw.publicUrl ?? `http://${bracket(raw.host)}:${raw.port}`).replace(/\/+$/, ''),
  })
}

/** What the upstream is called that a first start finds. */
const firstOrigin = 'npm'

/** A rule that looks at an origin nobody configured, at no name, or at a file that is not there, would protect nobody. */
function policyFaults({ origins, policy = [], ...files }: v.InferOutput<typeof firewall>): string[] {
  const known = new Set(['hosted', ...(origins?.map(({ name }) => name) ?? [firstOrigin])])
  const wrong = policy.flatMap(rule => {
    const wanted = rule.origins === 'upstreams' ? ['hosted'] : rule.origins
    return [
      ...wanted.filter(each => !known.has(each)).map(each => `there is no origin ${each}`),
      ...(wanted.length === 0 ? ['it looks at no origin'] : []),
      ...(looksAtNoName(rule) ? ['`except` leaves none of its packages'] : []),
    ].map(fault => `policy: rule ${rule.name}: ${fault}`)
  })
  const missing = Object.entries(files)
    .flatMap(([key, file]) => [file ?? []].flat().map(each => [key, each] as const))
    .filter(([, file]) => !existsSync(file))
    .map(([key, file]) => `${key}: there is no file ${file}`)
  return [...wrong, ...missing]
}

/** Whether every name that the rule looks at is one that it leaves alone. An allow list looks at what it does not name. */
function looksAtNoName({ kind, packages, except }: Rule): boolean {
  const contains = (wide: NamePattern, narrow: NamePattern) =>
    wide.endsWith('*') ? narrow.startsWith(wide.slice(0, -1)) : wide === narrow
  const looked = kind === 'allow-only' ? [parseNamePattern('*')] : packages
  return looked.every(each => except.some(wide => contains(wide, each)))
}

/** The same configuration on the port that was really bound. */
export function withPort(config: Config, port: number): Config {
  if (config.port !== 0) return config
  return Object.freeze({ ...config, port, publicUrl: config.publicUrl.replace(/:0$/, `:${port}`) })
}

/** The same configuration without any upstream. */
export function withoutOrigin(config: Config): Config {
  return Object.freeze({ ...config, origins: [], routes: [] })
}

/** The same configuration with one upstream for all names. Whoever names it lets it be asked, also where it is private. */
export function withOrigin(config: Config, way: Pick<Origin, 'url' | 'proxy' | 'ca'>): Config {
  const origins = [{ name: firstOrigin, authorization: undefined, ...way }]
  const { url } = way
  const host = new URL(url).hostname.replace(/^\[(.*)\]$/, '$1')
  const allowPrivateHosts = [...config.allowPrivateHosts, host]
  return Object.freeze({ ...config, origins, routes: routesOf(origins), allowPrivateHosts })
}

/**
 * Where advisories come from: as configured, else from the public collection where something comes from a public registry. One
 * that stands alone, or in front of this machine only, asks nobody.
 */
export function feedsOf({
  advisoryFeeds,
  origins = [],
}: Pick<Config, 'advisoryFeeds' | 'origins'>): readonly string[] {
  const isPublic = origins.some(({ url }) => !isLoopback(new URL(url).hostname))
  return advisoryFeeds ?? (isPublic ? ['osv'] : [])
}

/** True for 127.0.0.0/8, ::1 and localhost. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** Binding beyond loopback is a decision, so it has to be spelled out. */
function exposureFaults(raw: Reach): string[] {
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

/** What our credentials open at an upstream is not for everybody who can reach this instance. */
function openedFaults(
  { host, publicUrl, read }: Reach,
  { origins = [] }: v.InferOutput<typeof sources>,
): string[] {
  const isReached = !isLoopback(host) || (publicUrl !== undefined && !isLoopback(new URL(publicUrl).hostname))
  if (!isReached || read === 'signed-in') return []
  return origins
    .filter(({ authorization }) => authorization !== undefined)
    .map(
      ({ name }) =>
        `origins.${name}: has credentials, and what they open would be anyone's: read must be signed-in`,
    )
}

function networkFaults(raw: Reach): string[] {
  const proxies = raw.trustedProxies.filter(each => !isNetwork(each))
  const hosts = raw.allowPrivateHosts.filter(each => !isNetwork(each) && !isHostName(each))
  return [
    ...proxies.map(each => `trustedProxies: ${each} is neither an address nor a network like 10.0.0.0/8`),
    ...hosts.map(each => `allowPrivateHosts: ${each} is no host name, address or network like 10.0.0.0/8`),
  ]
}

function isNetwork(text: string): boolean {
  const [address = '', prefix = '0', ...more] = text.split('/')
  const bits = isIP(address) === 6 ? 128 : 32
  return isIP(address) !== 0 && /^\d{1,3}$/.test(prefix) && Number(prefix) <= bits && more.length === 0
}

/** A name whose last part is no number: such a thing is an address that somebody mistyped. */
function isHostName(text: string): boolean {
  return /^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)*[a-z]([a-z0-9-]*[a-z0-9])?$/i.test(text)
}

/** What a configuration file says, before anything of it is checked; faults are added to `faults`. */
export function readConfigFile(file: string | undefined, faults: string[]): Record<string, unknown> {
  if (file === undefined) return {}
  try {
    // Loaded only where there is a file: most starts have none.
    const { parseDocument }: typeof import('yaml') = createRequire(import.meta.url)('yaml')
    const document = parseDocument(readFileSync(file, 'utf8'))
    const said = [...document.errors, ...document.warnings].map(({ message }) => `${file}: ${message}`)
    if (said.length > 0) {
      faults.push(...said)
      return {}
    }
    const content: unknown = document.toJS() ?? {}
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

/** A setting that is nearly one of ours protects nobody; others may have variables of that beginning, as in a cluster. */
function misspeltFaults(environment: NodeJS.ProcessEnv): string[] {
  const known = new Set([...configKeys.map(environmentName), 'HOLDFAST_HOME', 'HOLDFAST_TOKEN'])
  return Object.keys(environment)
    .filter(name => name.startsWith('HOLDFAST_') && !known.has(name))
    .flatMap(name => {
      const meant = findNearestWord(name, known)
      return meant === undefined ? [] : [`${name}: there is no such key. Did you mean ${meant}?`]
    })
}

/** `publicUrl` → `HOLDFAST_PUBLIC_URL`. */
export function environmentName(key: string): string {
  return `HOLDFAST_${key.replace(/[A-Z]/g, letter => `_${letter}`).toUpperCase()}`
}

function explain(issue: v.BaseIssue<unknown>): string {
  const key = v.getDotPath(issue) ?? ''
  if (issue.type === 'strict_object' && issue.expected !== 'never') return `${key}: is missing`
  if (issue.type === 'strict_object' && key.includes('.')) return `${key}: there is no such key`
  if (issue.type === 'strict_object') return `${key}: there is no such key${explainUnknown(key)}`
  return `${key}: ${issue.message}`
}

function explainUnknown(key: string): string {
  const meant = findNearestWord(key, configKeys)
  return meant === undefined ? ` (known: ${configKeys.join(', ')})` : `. Did you mean ${meant}?`
}

function bracket(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host
}
