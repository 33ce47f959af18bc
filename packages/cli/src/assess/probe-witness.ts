// SPDX-License-Identifier: Apache-2.0
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { formatSignature, formatVerifierKey, parseNote, parseWitnessRequest } from '@holdfast/core'
import { makeCosigner } from '../witness/cosigner.ts'
import type { Settings } from './probe.ts'

/** A witness on loopback that cosigns whatever it is given, or nothing. */
export interface ProbeWitness {
  /** What makes an instance ask it, and publish nothing without it. */
  readonly settings: Settings
  /** The lines of a policy that ask for it. */
  readonly policy: string
  /** Whether it answers from now on. */
  setAnswering(isAnswering: boolean): void
  stop(): Promise<void>
}

/** Opens one with a key of its own. */
export async function openProbeWitness(): Promise<ProbeWitness> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-witness-'))
  const cosigner = await makeCosigner(join(folder, 'key'), 'witness.example/probe')
  let answers = true
  const server = createServer(async (request, response) => {
    const { checkpoint } = parseWitnessRequest(await text(request))
    const line = formatSignature(cosigner.cosign(parseNote(checkpoint).text, Math.floor(Date.now() / 1000)))
    response.writeHead(answers ? 200 : 503).end(answers ? line : '')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  server.unref()
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const policy = `witness w ${formatVerifierKey(cosigner.key)} ${url}\nquorum w\n`
  const file = join(folder, 'witnesses.txt')
  await writeFile(file, policy)
  return {
    settings: { HOLDFAST_WITNESSES: file, HOLDFAST_ALLOW_PRIVATE_HOSTS: '127.0.0.1' },
    policy,
    setAnswering(isAnswering) {
      answers = isAnswering
    },
    async stop() {
      server.close().closeAllConnections()
      await rm(folder, { recursive: true })
    },
  }
}
