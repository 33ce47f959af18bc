// SPDX-License-Identifier: Apache-2.0
import { isProblem, type PackageName, type Problem, problem } from '@holdfast/core'
import type { Mirror, OriginName } from '../catalog/index.ts'
import { checkNotFrozen } from '../identity/index.ts'
import type { FindsUpstream, KnownMirror, Mirrors, Ports, UpstreamAnswer, UpstreamContent } from '../ports.ts'
import { Remembered } from './remembered.ts'
import { followUpstream } from './takedown.ts'
import { faultOf, isDisbelieved, recordFaults } from './upstream-fault.ts'

type Mirroring = Pick<Ports, 'store' | 'clock' | 'config'> & { readonly upstreams: FindsUpstream }

/** So long an answer counts without asking again. */
const freshMs = 5 * 60_000
/** So long it is given at once, while the upstream is asked meanwhile. */
const staleMs = 24 * 3600_000
/** So long somebody who could be given an older answer waits for a newer one. */
const patienceMs = 5000
/**
 * So long its word is believed that nothing changed; then all of it is read, for a registry whose validators stand still would hide
 * a takedown. What was used within a day sooner; everything is asked for within a day.
 */
const believedMs = { used: 3 * 3600_000, unused: 12 * 3600_000 }
const unknownMs = 60_000
const retryMs = 5000
const usedMs = 3600_000
const maxBackground = 16
const maxRemembered = 10_000
/** Of what is not believed in one package: an upstream that lies about thousands is no more interesting than one about ten. */
const maxLeftOut = 100
const toldAtOnce = 10
/** Documents that cannot be true are told once a day for each package, and of so many packages a day. */
const disbelievedADay = 200
const dayMs = 24 * 3600_000

/** What one instance knows of upstream packages: each name is asked for once at a time, whoever waits for it. */
export function openMirrors(ports: Mirroring): Mirrors {
  const { store, clock } = ports
  const asking = new Map<string, Promise<Mirror | undefined>>()
  const unknown = new Remembered<number>(maxRemembered)
  const failed = new Remembered<{ readonly at: number; readonly why: Problem }>(maxRemembered)
  const disbelieved = new Remembered<number>(disbelievedADay)
  let background = 0

  /** Asks the upstream now; whoever wants the same name meanwhile waits with us. */
  function refresh(name: PackageName, origin: OriginName): Promise<Mirror | undefined> {
    const key = `${origin} ${name}`
    const known = asking.get(key)
    if (known !== undefined) return known
    const asked = ask(ports, name, origin).then(
      found => {
        failed.delete(key)
        if (found === undefined) unknown.set(key, clock())
        return found
      },
      async error => {
        // What people froze did not fail, and is asked again the moment they open it.
        if (isProblem(error) && error.code !== 'frozen') {
          failed.set(key, { at: clock(), why: error })
          if (isDisbelieved(error)) await tellDisbelieved(name, origin, error)
        }
        throw error
      },
    )
    asking.set(key, asked)
    const forget = () => void asking.delete(key)
    asked.then(forget, forget)
    return asked
  }

  /** A whole document that lies, which nobody but those who asked for it would hear of. */
  async function tellDisbelieved(name: PackageName, origin: OriginName, { data }: Problem): Promise<void> {
    const since = clock() - dayMs
    const [oldest = Number.NEGATIVE_INFINITY] = disbelieved.values()
    const isFull = disbelieved.size >= disbelievedADay && oldest > since
    if (isFull || (disbelieved.get(`${origin} ${name}`) ?? Number.NEGATIVE_INFINITY) > since) return
    disbelieved.set(`${origin} ${name}`, clock())
    await recordFaults(ports, [faultOf(origin, name, undefined, String(data['why']))])
  }

  function refreshAside(name: PackageName, origin: OriginName): void {
    if (background >= maxBackground || asking.has(`${origin} ${name}`) || hasJustFailed(name, origin)) return
    background += 1
    const done = () => {
      background -= 1
    }
    refresh(name, origin).then(done, done)
  }

  function hasJustFailed(name: PackageName, origin: OriginName): boolean {
    return clock() - (failed.get(`${origin} ${name}`)?.at ?? Number.NEGATIVE_INFINITY) < retryMs
  }

  function stale(mirror: Mirror): KnownMirror {
    const warning = failed.get(`${mirror.origin} ${mirror.name}`) === undefined ? 'stale' : 'not-revalidated'
    return { mirror, freshUntil: clock(), warning }
  }

  async function getKept(kept: Mirror): Promise<KnownMirror> {
    const { name, origin } = kept
    // Of what a clock that was wrong says is still to come nobody knows how old it is.
    const age = Math.abs(clock() - kept.checkedAt)
    if (age < freshMs) return fresh(kept)
    if (age < staleMs || hasJustFailed(name, origin)) {
      refreshAside(name, origin)
      return stale(kept)
    }
    const newer = await within(patienceMs, refresh(name, origin)).catch(error => {
      if (!isProblem(error)) throw error
    })
    return newer === undefined ? stale(kept) : fresh(newer)
  }

  async function getNew(name: PackageName, origin: OriginName): Promise<KnownMirror | undefined> {
    const key = `${origin} ${name}`
    if (clock() - (unknown.get(key) ?? Number.NEGATIVE_INFINITY) < unknownMs) return undefined
    const failure = failed.get(key)
    if (failure !== undefined && hasJustFailed(name, origin)) throw failure.why
    const found = await refresh(name, origin)
    return found && fresh(found)
  }

  return {
    async get(name, origin) {
      const kept = await store.mirrors.find(name)
      if (kept?.origin !== origin) return getNew(name, origin)
      // Nobody waits for this, and a failure costs only the order in which packages are looked at.
      if (clock() - kept.usedAt > usedMs) store.mirrors.markUsed(name, clock()).catch(() => {})
      return getKept(kept)
    },
    async refresh(name, origin) {
      const found = await refresh(name, origin)
      return found && fresh(found)
    },
  }
}

function fresh(mirror: Mirror): KnownMirror {
  return { mirror, freshUntil: mirror.checkedAt + freshMs, warning: '' }
}

/** One question to the upstream, and its answer kept. Undefined when there is no such package and never was. */
async function ask(ports: Mirroring, name: PackageName, origin: OriginName): Promise<Mirror | undefined> {
  const upstream = ports.upstreams.get(origin)
  if (upstream === undefined) throw problem('unavailable', { why: `there is no origin '${origin}'` })
  const kept = await ports.store.mirrors.find(name)
  const closed = [`origin:${origin}`, ...(kept === undefined ? ['proxying'] : [])]
  await checkNotFrozen(ports.store, closed)
  const before = kept?.origin === origin ? kept : undefined
  // What was gone is told whole when it is back.
  const seen = before === undefined || before.isGone ? undefined : withValidators(before, ports.clock())
  const answer = await upstream.readPackument(name, seen, ports.clock())
  const now = ports.clock()
  if (answer.kind === 'told') {
    if (before !== undefined && !before.isGone && (await isSame(ports, before, answer))) {
      await ports.store.mirrors.confirmWhole(name, now)
      return { ...before, checkedAt: now, readWholeAt: now }
    }
    const after = { ...answer.mirror, isGone: false }
    const leftOut = answer.leftOut.map(each => each.version)
    const follow = async () => before && followUpstream(ports, { name, origin, before, after, leftOut })
    await follow()
    const times = { checkedAt: now, readWholeAt: now, changedAt: now, usedAt: before?.usedAt ?? now }
    const told = { ...answer.mirror, ...times, leftOut: answer.leftOut.slice(0, maxLeftOut) }
    // Above the revision of another origin's too: of two answers the later one stays.
    const revision = (kept?.revision ?? 0) + 1
    const saved = await keep(ports, { ...told, revision, isGone: false }, answer.source)
    await follow()
    // What was odd when it was first read is told by pages; what becomes so is news.
    if (before !== undefined) await tellLeftOut(ports, before, told.leftOut)
    return saved
  }
  if (before === undefined) return undefined
  if (answer.kind === 'unchanged' || before.isGone) {
    await ports.store.mirrors.confirm(name, now)
    return { ...before, checkedAt: now }
  }
  const change = { name, origin, before, after: { ...before, isGone: true }, leftOut: [] }
  await followUpstream(ports, change)
  // Its manifests stay, as evidence of what there was.
  const source = (await ports.store.mirrors.findSource(name)) ?? new Uint8Array()
  const gone = { ...before, checkedAt: now, changedAt: now, isGone: true, revision: before.revision + 1 }
  const made = await keep(ports, gone, source)
  await followUpstream(ports, change)
  return made
}

/** Without its validators once the upstream's word is not believed any longer, so that all of it comes. */
function withValidators(kept: Mirror, now: number): Mirror {
  const believed = now - kept.usedAt < staleMs ? believedMs.used : believedMs.unused
  return Math.abs(now - kept.readWholeAt) < believed ? kept : { ...kept, etag: '', lastModified: '' }
}

/** Whether all that was read says what is kept: then its documents stand, and clients need not have them again. */
async function isSame(
  { store }: Mirroring,
  before: Mirror,
  { mirror, source, leftOut }: Extract<UpstreamAnswer, { kind: 'told' }>,
): Promise<boolean> {
  if (JSON.stringify(leftOut.slice(0, maxLeftOut)) !== JSON.stringify(before.leftOut)) return false
  if (mirror.etag !== before.etag || mirror.lastModified !== before.lastModified) return false
  if (wordsOf(mirror) !== wordsOf(before)) return false
  const kept = await store.mirrors.findSource(before.name)
  return kept !== undefined && Buffer.compare(kept, source) === 0
}

function wordsOf({ description, createdAt, modifiedAt, tags, versions }: UpstreamContent): string {
  return JSON.stringify([description, createdAt, modifiedAt, [...tags], versions])
}

/** Versions that an upstream lists and that are not believed any more, or never were: each once, a fault of that upstream. */
async function tellLeftOut(
  ports: Mirroring,
  { name, origin, versions, leftOut }: Mirror,
  now: Mirror['leftOut'],
): Promise<void> {
  const fresh = now.filter(each => !leftOut.some(({ version }) => version === each.version))
  if (fresh.length === 0) return
  const faults = fresh.slice(0, toldAtOnce).map(({ version, why }) => {
    const ver = versions.find(each => each.version === version)?.version
    return faultOf(origin, name, ver, `its record of ${version} cannot be believed: ${why}`)
  })
  await recordFaults(ports, faults)
}

/** Of two processes that asked at once one is first; what it kept is as new. */
async function keep({ store }: Mirroring, mirror: Mirror, source: Uint8Array): Promise<Mirror | undefined> {
  if (await store.mirrors.save(mirror, source)) return mirror
  return store.mirrors.find(mirror.name)
}

/** The result, or undefined when it takes longer; the work goes on. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>(resolve => {
    timer = setTimeout(resolve, ms, undefined)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
