// SPDX-License-Identifier: Apache-2.0
/**
 * An instance in a process of its own that kills itself at a point its parent names: told `arm`, the next time it comes
 * there. Started with a folder and flags; tells its parent the address and a token.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { type LogWorks, openIntake } from '../../src/flow/index.ts'
import { type OpenPorts, openPorts } from '../../src/main.ts'
import type { Ports, Store, Tx } from '../../src/ports.ts'
import { openFileBlobs } from '../../src/store/index.ts'
import { startLive } from '../live.ts'
import type { Point } from './point.ts'

/** What a victim says when it is ready. */
export interface Ready {
  readonly url: string
  readonly token: string
}

let armed: Point | undefined
process.on('message', (message: { readonly arm?: Point }) => {
  armed = message.arm
  // In kilobytes on every system.
  process.send?.({ peakBytes: process.resourceUsage().maxRSS * 1024 })
})

function reach(point: Point): void {
  if (point === armed) process.kill(process.pid, 'SIGKILL')
}

async function openMortalPorts(...args: Parameters<typeof openPorts>): Promise<OpenPorts> {
  const [config, clock] = args
  const opened = await openPorts(config, clock, mortalLog)
  const blobs = await openFileBlobs(join(args[0].data, 'blobs'), { fault: reach })
  const ports: Ports = { ...opened.ports, blobs, store: mortal(opened.ports.store) }
  return { ...opened, ports: { ...ports, intake: openIntake(ports) } }
}

/** Each point is where an effect of a round is there and nothing after it. */
function mortalLog({ store, files, signer, witnesses, ...rest }: LogWorks): LogWorks {
  const after = async <T>(point: Point, effect: Promise<T>): Promise<T> => {
    const done = await effect
    reach(point)
    return done
  }
  const { log } = store
  return {
    ...rest,
    store: {
      ...store,
      log: { ...log, sequence: (...args) => after('log:placed', log.sequence(...args)) },
      commit: (...args) => after('log:published', store.commit(...args)),
    },
    files: {
      ...files,
      write: each => after('log:written', files.write(each)),
      replaceCheckpoint: note => after('log:shown', files.replaceCheckpoint(note)),
    },
    signer: { ...signer, sign: (...args) => after('log:signed', signer.sign(...args)) },
    witnesses: { ...witnesses, cosign: (...args) => after('log:cosigned', witnesses.cosign(...args)) },
  }
}

function mortal(store: Store): Store {
  return {
    ...store,
    async commit(grant, event, work) {
      reach('commit:before')
      const result = await store.commit(grant, event, tx => halfway(tx, work))
      reach('commit:after')
      return result
    },
    leases: {
      ...store.leases,
      async advance(...args) {
        reach('cursor:before')
        const isMoved = await store.leases.advance(...args)
        reach('cursor:after')
        return isMoved
      },
    },
  }
}

async function halfway<T>(tx: Tx, work: (tx: Tx) => Promise<T>): Promise<T> {
  reach('commit:begun')
  const result = await work(tx)
  // Everything but the event is written, and nothing is committed.
  reach('commit:worked')
  return result
}

const [folder = '', flags = '{}'] = process.argv.slice(2)
const replaced = { openPorts: openMortalPorts }
// An account has at most so many tokens, and a folder is started on a thousand times.
const tokenFile = join(folder, 'victim-token')
const token = existsSync(tokenFile) ? readFileSync(tokenFile, 'utf8') : undefined
const live = await startLive({ folder, replaced, token, flags: JSON.parse(flags) as Record<string, string> })
if (token === undefined) writeFileSync(tokenFile, live.token)
// Whoever is killed leaves no cache behind by itself.
flushCompileCache()
process.send?.({ url: live.url, token: live.token } satisfies Ready)
process.once('SIGTERM', () => {
  void live.stop().then(() => process.exit(live.errors.length === 0 ? 0 : 1))
})
