// SPDX-License-Identifier: Apache-2.0
/** Config → ports → flows → HTTP: the only file that names concrete adapters. */
import { mkdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { drillOrigin, problem } from '@holdfast/core'
import { type Config, feedsOf, withPort } from './config.ts'
import { runConsumers } from './consumers.ts'
import { openDownloadRecorder } from './download-recorder.ts'
import { runDrills } from './drill-runner.ts'
import {
  applyPolicy,
  checkRoutes,
  drillUpstreamPath,
  type LogWorks,
  openIntake,
  openLog,
  openLookAlikes,
  openMirrors,
  type RunningLog,
  recordKeys,
} from './flow/index.ts'
import {
  addressReader,
  type HttpLimits,
  type HttpServer,
  type Identify,
  type Log,
  type Mount,
  openHttp,
  openIdentify,
  openMetrics,
  operationMount,
} from './http/index.ts'
import type { Clock, Outbound, OwnDoor, Ports, Signer, Store, Witnesses } from './ports.ts'
import { apiMount } from './protocol/api/index.ts'
import { feedMounts } from './protocol/feed/index.ts'
import { logMount } from './protocol/log/index.ts'
import {
  exchangeMount,
  formerMounts,
  npmMount,
  openDocuments,
  openHotPath,
  openTarballs,
} from './protocol/npm/index.ts'
import { osvMounts } from './protocol/osv/index.ts'
import {
  noWitnesses,
  openAdvisorySource,
  openAuditSink,
  openDomainLookup,
  openKeyFolder,
  openLogKey,
  openMail,
  openNameSource,
  openOutbound,
  openOwnDoor,
  openReportKeys,
  openUpstream,
  openWitnesses,
  openWitnessSizes,
  readWitnessPolicy,
} from './remote/index.ts'
import {
  openFileBlobs,
  openLogFolder,
  openPostgres,
  openSqlite,
  openStore,
  type Schema,
  type SqlDriver,
} from './store/index.ts'
import { openTrail } from './trail.ts'
import { readSignedPack } from './vulnerability/index.ts'

export type { Config } from './config.ts'
export { ConfigFaults, configKeys, environmentName, isLoopback, readConfig } from './config.ts'
export type { Ports } from './ports.ts'
export {
  openAdvisorySource,
  openKeyFolder,
  openMark,
  openOutbound,
  openUpstream,
  readWitnessPolicy,
} from './remote/index.ts'
export { openFileBlobs, openLogFolder, openSnapshot, type Snapshot, takeSnapshot } from './store/index.ts'

/** Ports with the way to let go of them. */
export interface OpenPorts {
  readonly ports: Ports
  readonly driver: SqlDriver<Schema>
  readonly log: RunningLog
  /** What the log works on, for who mends it. */
  readonly logWorks: LogWorks
  close(): Promise<void>
}

/**
 * Opens everything that keeps state, without a network: what `serve` runs on, and what operator commands use. A test may put
 * parts that fail in the place of those that the log works on.
 */
export async function openPorts(
  config: Config,
  clock: Clock = Date.now,
  replaceParts: (works: LogWorks) => LogWorks = works => works,
): Promise<OpenPorts> {
  await mkdir(config.data, { recursive: true, mode: 0o700 })
  const driver = await openDriver(config)
  const store = await openStore(driver, clock, `${new URL(config.publicUrl).host}/log`)
  const keys = await openKeyFolder(config.keys)
  const downloads = openDownloadRecorder(store, clock)
  const trail = openTrail({ store, config }, clock)
  const outbound = openOutbound(config.allowPrivateHosts)
  const upstreams = new Map(
    config.origins?.map(origin => [
      origin.name,
      openUpstream(origin, { ...config, ownKeyId: keys.keyId, clock }),
    ]),
  )
  const ownDoor = openOwnDoor(config)
  // What drills let come in has this registry itself for an upstream, which no page or rule knows of.
  let played: ReturnType<typeof openUpstream> | undefined
  const play = () => {
    played ??= openDrillUpstream(config, ownDoor, clock)
    return played
  }
  const asked = { get: (name: string) => (name === drillOrigin ? play() : upstreams.get(name)) }
  const mirrors = openMirrors({ store, config, upstreams: asked, clock })
  const { routes } = config
  const blobs = await openFileBlobs(join(config.data, 'blobs'))
  const popular =
    config.popularNames === undefined ? undefined : await readNames(config.popularNames, config.packKeys)
  const lookAlikes = openLookAlikes(store)
  const witnesses = await openOwnWitnesses(config, outbound, clock)
  const logKey = await openLogKey(config.keys, store.instance.logOrigin, clock)
  followKeys(store, [keys, logKey])
  const works: LogWorks = {
    store,
    config,
    clock,
    files: await openLogFolder(join(config.data, 'log')),
    signer: logKey,
    witnesses,
  }
  const logWorks = replaceParts(works)
  const log = openLog(logWorks)
  const advisorySources = feedsOf(config).map(told => openAdvisorySource(told, outbound))
  const ports: Ports = {
    config,
    store,
    blobs,
    signer: keys,
    sealer: keys,
    documents: openDocuments(
      { store, clock, mirrors, routes, popular, lookAlikes, advisorySources, signer: keys },
      config.publicUrl,
      config.cacheBytes,
    ),
    upstreams,
    mirrors,
    intake: openIntake({ config, store, blobs, signer: keys, upstreams: asked, clock }),
    routes,
    advisorySources,
    nameSources: config.upstreamNames.map(from => openNameSource(from, outbound, clock)),
    popular,
    lookAlikes,
    mail: openMail(config.smtp, config.mailFrom),
    outbound,
    ownDoor,
    domains: config.rdap ? openDomainLookup(config.rdap, config.nameServers, outbound) : undefined,
    reportKeys: config.secretScanningKeys
      ? openReportKeys(config.secretScanningKeys, outbound, clock)
      : undefined,
    downloads,
    trail,
    log,
    logSigner: logKey,
    witnesses,
    auditSink: config.auditPush
      ? openAuditSink(config.auditPush, config.auditPushToken, outbound)
      : undefined,
    clock,
  }
  return {
    ports,
    driver,
    log,
    logWorks,
    async close() {
      await log.close()
      await downloads.close()
      await trail.close()
      for (const upstream of upstreams.values()) upstream.close()
      played?.close()
      await store.close()
    },
  }
}

/** Another process may rotate the keys; a key that cannot be read then is found when somebody looks, by `doctor`. */
function followKeys(store: Store, signers: readonly Pick<Signer, 'reload'>[]): void {
  store.events.follow(events => {
    if (!events.some(({ type }) => type === 'key')) return
    for (const signer of signers) void signer.reload().catch(() => {})
  })
}

function openDrillUpstream(config: Config, { url }: OwnDoor, clock: Clock) {
  const origin = { name: drillOrigin, url: url + drillUpstreamPath, authorization: undefined }
  const allowPrivateHosts = [...config.allowPrivateHosts, new URL(url).hostname.replace(/^\[(.*)\]$/, '$1')]
  return openUpstream({ ...origin, proxy: undefined, ca: undefined }, { ...config, allowPrivateHosts, clock })
}

async function openOwnWitnesses(
  { witnesses, data }: Config,
  outbound: Outbound,
  clock: Clock,
): Promise<Witnesses> {
  if (witnesses === undefined) return noWitnesses
  const policy = await readWitnessPolicy(witnesses)
  return openWitnesses({
    policy,
    sizes: await openWitnessSizes(join(data, 'witness-sizes.json')),
    outbound,
    clock,
  })
}

function tellLogFailure(log: Log, error: unknown): void {
  log.say('error', 'the log did not get on and tries again', { error: String(error) })
}

/**
 * The first word of each line: lists of names come with their counts. Throws `note-refused` where keys are given and the list
 * beside the file, signed by one of them, does not name its bytes.
 */
async function readNames(file: string, keys: readonly string[]): Promise<ReadonlySet<string>> {
  const bytes = await readFile(file)
  if (keys.length > 0 && !(await readSignedPack(dirname(file), keys)).has(basename(file), bytes))
    throw problem('note-refused', { why: `the list beside ${file} is about other bytes` })
  const lines = bytes.toString('utf8').split('\n')
  return new Set(lines.flatMap(line => line.trim().split(/\s+/)[0] || []))
}

/** The database alone, as it is: nothing is migrated. */
export function openDriver(config: Config): Promise<SqlDriver<Schema>> | SqlDriver<Schema> {
  return config.database === undefined
    ? openSqlite<Schema>(join(config.data, 'holdfast.db'))
    : openPostgres<Schema>(config.database)
}

/** A running instance. */
export interface Instance {
  readonly url: string
  readonly ports: Ports
  /** Stops accepting, finishes what runs, flushes, lets go; within ten seconds. */
  stop(): Promise<void>
}

/** What a test may put in place of what `serve` runs on: ports that fail on demand, shorter patience. */
export interface Replacements {
  readonly openPorts?: typeof openPorts
  readonly httpLimits?: HttpLimits
}

/** Binds, opens the ports, and answers. Rejects when the address is taken or the store does not open. */
export async function startInstance(
  told: Config,
  log: Log,
  clock: Clock = Date.now,
  replaced: Replacements = {},
): Promise<Instance> {
  const http = await openHttp(told.host, told.port, log, replaced.httpLimits)
  const config = withPort(told, http.port)
  const open = replaced.openPorts ?? openPorts
  const opened = await open(config, clock).catch(async error => {
    await http.close(0)
    throw error
  })
  await checkRoutes(opened.ports).catch(async error => {
    await opened.close()
    await http.close(0)
    throw error
  })
  // A log that must not go on is found before anybody is answered.
  await opened.log.check().catch(async error => {
    await opened.close()
    await http.close(0)
    throw error
  })
  // What the configuration says of the policy is the truth from the first request on.
  if (config.policy !== undefined)
    await applyPolicy(opened.ports, { kind: 'system', id: 'configuration' }, config.policy)
  // Keys that came or went by hand, or in a rotation that broke off.
  if (opened.ports.signer.publicKeys.length > 1 || opened.ports.log.keys.length > 1)
    await recordKeys(opened.ports, { kind: 'system', id: 'keys' })
  const stopLog = opened.log.follow(error => tellLogFailure(log, error))
  const stopConsumers = runConsumers(opened.ports, log)
  const stopDrills = runDrills(opened.ports, log)
  const identify = openDoors(http, opened.ports)
  return {
    url: `http://${config.host.includes(':') ? `[${config.host}]` : config.host}:${http.port}`,
    ports: opened.ports,
    async stop() {
      const drills = stopDrills()
      await http.close(7000)
      // Nobody would learn that the upstream withdrew what went out and is not known to have come in.
      await opened.ports.intake.finish()
      await drills
      await stopConsumers()
      stopLog()
      await identify.close()
      await opened.close()
    },
  }
}

function openDoors(http: HttpServer, ports: Ports): Identify {
  const identify = openIdentify(ports)
  const metrics = openMetrics()
  const tarballs = openTarballs(ports, ports.config.cacheBytes)
  const npm = npmMount(ports, tarballs)
  const pages = pagesMount(ports)
  const addressOf = addressReader(ports.config.trustedProxies)
  http.open({
    identify,
    metrics,
    trustedProxies: ports.config.trustedProxies,
    hotPath: openHotPath(ports, identify, tarballs, addressOf),
    mounts: [
      exchangeMount(npm),
      operationMount(ports, metrics),
      npm,
      ...formerMounts(npm),
      apiMount(ports),
      ...osvMounts(ports),
      ...feedMounts(ports),
      // Pages about the log stand among its files, under names that no file of it has.
      { ...pages, prefix: '/log/entry/' },
      { ...pages, prefix: '/log/checkpoints' },
      logMount(ports),
      pages,
    ],
  })
  return identify
}

/** The pages, loaded when somebody asks for one, or soon after the start: until then clients wait for the registry. */
function pagesMount(ports: Ports): Mount {
  let pages: Mount | undefined
  const load = async () => {
    const { webMount } = await import('./web/index.ts')
    pages ??= webMount(ports)
    return pages
  }
  // A failure shows on each page that is asked for, with its reason in the log.
  setTimeout(() => void load().catch(() => {}), 1000).unref()
  return {
    prefix: '/',
    classOf: () => 'page',
    handle: async call => (await load()).handle(call),
    renderProblem: (trouble, call) => pages?.renderProblem(trouble, call) ?? { status: trouble.status },
  }
}
