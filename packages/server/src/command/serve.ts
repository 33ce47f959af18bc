// SPDX-License-Identifier: Apache-2.0
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setUpLink } from '../flow/index.ts'
import { type Log, openLog } from '../http/index.ts'
import { type Instance, startInstance } from '../main.ts'
import { configOf, configOptions, readArguments } from './usage.ts'

const usage = `Usage: holdfast serve [--port 4873] [--host 127.0.0.1] [--data ./data] [--config holdfast.yaml]`

/** Runs the registry until SIGTERM or SIGINT. */
export async function serve(args: readonly string[]): Promise<number> {
  const config = configOf(readArguments(args, configOptions, usage))
  const log = openLog(2, Date.now)
  const instance = await startInstance(config, log)
  process.stdout.write(`listening on ${instance.url}\n`)
  log.say('info', 'listening', {
    url: instance.url,
    publicUrl: instance.ports.config.publicUrl,
    data: config.data,
  })
  await offerSetUp(instance)
  await signalled()
  return stop(instance, log)
}

/** As long as nobody has an account, a link that makes the first operator: to a terminal, else into a file only we can read. */
async function offerSetUp(instance: Instance): Promise<void> {
  const link = await setUpLink(instance.ports)
  if (link === undefined) return
  if (process.stdout.isTTY) {
    process.stdout.write(`Set up this registry (one hour, one use): ${link}\n`)
    return
  }
  const file = join(instance.ports.config.data, 'set-up-link')
  await writeFile(file, `${link}\n`, { mode: 0o600 })
  process.stdout.write(`The set-up link (one hour, one use) is in ${file}\n`)
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
