// SPDX-License-Identifier: Apache-2.0
import { setFlagsFromString } from 'node:v8'
import { withoutOrigin } from '../config.ts'
import { listFaultyRules } from '../flow/index.ts'
import { type Log, openLog } from '../http/index.ts'
import { type Instance, startInstance } from '../main.ts'
import { type Sourced, withFirstOrigin } from './first-origin.ts'
import { noteServedAddress } from './served-address.ts'
import { offerSetUp } from './set-up-link.ts'
import { type Arguments, configOptions, readArguments, toldConfigOf } from './usage.ts'

const usage = `Usage: holdfast serve [--port 4873] [--host 127.0.0.1] [--data ./data] [--config holdfast.yaml] [--no-origin]

Runs the registry until it is told to stop (SIGTERM, SIGINT). The first line on standard output says where it listens.

  --port PORT     0 picks one that is free
  --host ADDRESS  another than loopback wants publicUrl and read in the configuration
  --data DIR      where everything is kept; made where it is not there
  --config FILE   else holdfast.yaml where there is one; docs/operating.md lists the keys
  --no-origin     a registry that stands alone: what is not hosted here is not found, whatever the configuration says

Exit code 0 after it was told to stop, 2 for faults of the configuration, all of them listed.
Example: holdfast serve --port 4873 --data ./data`

const options = { ...configOptions, 'no-origin': 'flag', help: 'flag' } as const

/** Runs the registry until SIGTERM or SIGINT. */
export async function serve(args: readonly string[]): Promise<number> {
  const read = readArguments(args, options, usage)
  if (read.flags.has('help')) {
    process.stdout.write(`${usage}\n`)
    return 0
  }
  const { config, say }: Sourced = read.flags.has('no-origin')
    ? { config: withoutOrigin(toldConfigOf(read)), say: '' }
    : await withFirstOrigin(toldConfigOf(read))
  const log = openLog(2, Date.now)
  const instance = await startInstance(config, log)
  boundYoungGeneration()
  await noteServedAddress(instance.ports.config)
  process.stdout.write(`listening on ${instance.url}\n`)
  if (say !== '') process.stdout.write(`${say}\n`)
  log.say('info', 'listening', {
    url: instance.url,
    publicUrl: instance.ports.config.publicUrl,
    data: config.data,
  })
  await offerSetUp(instance.ports)
  await nameFaultyRules(instance, log)
  const endAssessing = config.selfAssessment === 'weekly' ? await assess(read, instance, log) : undefined
  await signalled()
  endAssessing?.()
  return stop(instance, log)
}

async function nameFaultyRules({ ports }: Instance, log: Log): Promise<void> {
  if (ports.config.screeningRules === undefined) return
  for (const fault of await listFaultyRules(ports)) log.say('warn', 'screening-rule', { fault })
}

/**
 * A start leaves 16 MB for young objects. A few large documents would have them grow to 128 MB, which are never given back; what
 * requests leave behind does not need them. Threads begin with what they would have grown to, up to their own limits.
 */
function boundYoungGeneration(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--min-semi-space-size=4')
}

async function assess({ values }: Arguments, { url, ports }: Instance, log: Log): Promise<() => void> {
  const { assessWeekly } = await import('./self-assessment.ts')
  const { config } = values
  const words = ['assess', 'self', '--live', url, '--data', ports.config.data]
  const line = [process.argv[1] ?? '', ...words, ...(config === undefined ? [] : ['--config', config])]
  return assessWeekly(ports, log, line)
}

function signalled(): Promise<void> {
  return new Promise(resolve => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
}

async function stop(instance: Instance, log: Log): Promise<number> {
  log.say('info', 'stopping')
  const deadline = setTimeout(() => {
    log.say('error', 'stopping took too long')
    log.flush()
    process.exit(1)
  }, 9500)
  await instance.stop()
  clearTimeout(deadline)
  log.say('info', 'stopped')
  log.flush()
  return 0
}
