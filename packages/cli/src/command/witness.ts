// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  formatVerifierKey,
  keyType,
  parseVerifierKey,
  parseWitnessPolicy,
  type VerifierKey,
  webCrypto,
} from '@holdfast/core'
import { parseArgs } from '../parse-args.ts'
import { UsageError } from '../usage-error.ts'
import { makeCosigner, openCosigner } from '../witness/cosigner.ts'
import { openMemory } from '../witness/memory.ts'
import { startWitness } from '../witness/serve.ts'

const usage = `holdfast witness init --name NAME [--data DIR]      make a witness such as witness.example/w1, and print its key
holdfast witness vkey [--data DIR]                  print its key again
holdfast witness serve [--data DIR] [--port 4880] [--host 127.0.0.1] [--log 'VKEY [URL]'...]

A witness cosigns the checkpoints of other people's logs as long as each continues the one before: a log that shows one
history to some and another to others finds no witness for both. It sees checkpoints only, never names of packages.

Which logs: --log, as often as there are logs, and the file policy.txt in DIR with lines 'log VKEY [URL]' and 'quorum none'.
Whoever runs a log names this witness's key in the policy of theirs. DIR is ./witness when not given.

Exit code 0 when it is done or was told to stop, 2 for usage.

Example: holdfast witness init --name witness.example/w1
`

const defaults = { data: './witness', port: '4880', host: '127.0.0.1' }

interface Options {
  readonly data: string
  readonly name?: string | undefined
  readonly port: string
  readonly host: string
  readonly log: readonly string[]
}

/** Runs `holdfast witness …`. */
export async function runWitness(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      name: { type: 'string' },
      data: { type: 'string', default: defaults.data },
      port: { type: 'string', default: defaults.port },
      host: { type: 'string', default: defaults.host },
      log: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', short: 'h' },
    },
  })
  if (values.help) return print(usage)
  const [act, ...rest] = positionals
  if (act === 'init' && rest.length === 0 && values.name !== undefined)
    return print(`${formatVerifierKey((await makeCosigner(values.data, values.name)).key)}\n`)
  if (act === 'vkey' && rest.length === 0)
    return print(`${formatVerifierKey((await openCosigner(values.data)).key)}\n`)
  if (act === 'serve' && rest.length === 0) return serve(values)
  throw new UsageError(
    'holdfast witness init --name NAME, vkey or serve',
    'holdfast witness --help says more.',
  )
}

/** Runs until SIGTERM or SIGINT. */
async function serve({ data, host, port, log }: Options): Promise<number> {
  const cosigner = await openCosigner(data)
  const logKeys = [...(await readKeys(log)), ...(await readPolicyKeys(join(data, 'policy.txt')))]
  if (logKeys.length === 0)
    throw new UsageError(
      'This witness knows no log',
      'Name one with --log VKEY, or in policy.txt of its folder.',
    )
  const wanted = Number(port)
  if (!/^\d{1,5}$/.test(port) || wanted > 65535)
    throw new UsageError(`${port} is no port`, 'Take one up to 65535, or 0 for any that is free.')
  const witness = { cosigner, memory: await openMemory(data), logKeys, clock: Date.now }
  const running = await startWitness(witness, host, wanted).catch((error: Error) => {
    throw new UsageError(error.message, 'Choose another port with --port, or 0 for any that is free.')
  })
  print(`listening on ${running.url}\n`)
  await new Promise<void>(resolve => {
    process.once('SIGTERM', resolve)
    process.once('SIGINT', resolve)
  })
  await running.stop()
  return 0
}

/** The address behind a key is for people: a witness is asked, and asks nobody. */
async function readKeys(lines: readonly string[]): Promise<readonly VerifierKey[]> {
  return Promise.all(
    lines.map(async line =>
      checkLogKey(await parseVerifierKey(webCrypto, line.trim().split(/\s+/)[0] ?? '')),
    ),
  )
}

async function readPolicyKeys(path: string): Promise<readonly VerifierKey[]> {
  if (!existsSync(path)) return []
  const policy = await parseWitnessPolicy(webCrypto, await readFile(path, 'utf8'))
  return policy.logs.map(({ key }) => checkLogKey(key))
}

function checkLogKey(key: VerifierKey): VerifierKey {
  if (key.type === keyType.ed25519) return key
  throw new UsageError(
    `${formatVerifierKey(key)} is no key of a log`,
    "Take the log's own key, not that of a witness.",
  )
}

function print(text: string): number {
  process.stdout.write(text)
  return 0
}
