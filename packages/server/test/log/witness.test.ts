// SPDX-License-Identifier: Apache-2.0
/** Instances whose log is witnessed by real witnesses. */
import assert from 'node:assert/strict'
import { cp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import {
  isProblem,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  type VerifierKey,
  verifyNote,
  webCrypto,
} from '@holdfast/core'
import type { Ports } from '../../src/main.ts'
import { holdfast } from '../command/command-line.ts'
import type { Ended } from '../host.ts'
import { type Live, publishDocument, put, startLive } from '../live.ts'
import {
  freshFolder,
  readLogKey,
  startWitness,
  type WitnessProcess,
  witnessFlags,
} from '../witness-process.ts'

const publish = async (live: Live, version: string) =>
  (await put(live, 'widget', publishDocument('widget', version))).status

const readKey = (vkey: string): Promise<VerifierKey> => parseVerifierKey(webCrypto, vkey)

/** Who signed the checkpoint that clients see, by the name of their keys; its size. */
async function readSigners({ url }: Live, vkeys: readonly string[]): Promise<[readonly string[], number]> {
  const note = parseNote(await (await fetch(`${url}/log/checkpoint`)).text())
  const keys = await verifyNote(webCrypto, note, await Promise.all(vkeys.map(readKey)))
  return [keys.map(key => key.name), parseCheckpoint(note.text).size]
}

const versionsOf = async (live: Live): Promise<readonly string[]> =>
  Object.keys((await (await fetch(`${live.url}/npm/widget`)).json()).versions ?? {})

async function waitForHalt({ log }: Ports): Promise<string> {
  for (let tries = 0; tries < 300; tries++) {
    const { halted } = await log.state()
    if (halted !== '') return halted
    await delay(20)
  }
  assert.fail('the log goes on')
}

/** The last checkpoint of a log that a witness shows. */
async function shownBy(witness: WitnessProcess, vkey: string): Promise<number> {
  const { name } = await readKey(vkey)
  const hash = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(name))).toString('hex')
  const note = parseNote(await (await fetch(`${witness.url}/${hash}/checkpoint`)).text())
  await verifyNote(webCrypto, note, [await readKey(vkey), await readKey(witness.vkey)])
  return parseCheckpoint(note.text).size
}

/** `holdfast doctor` with these keys of the configuration. */
async function examine(folder: string, flags: Readonly<Record<string, string>>): Promise<Ended> {
  const lines = Object.entries(flags).map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`)
  const config = join(await freshFolder(), 'holdfast.yaml')
  await writeFile(config, lines.join(''))
  return holdfast('doctor', '--data', folder, '--config', config)
}

test('each checkpoint has the cosignature of a witness, whose restart nobody notices', async () => {
  const folder = await freshFolder()
  const vkey = await readLogKey(folder)
  const witness = await startWitness('witness.example/w1', [vkey])
  const flags = await witnessFlags([witness], 'w0')
  const live = await startLive({ folder, flags })
  assert.equal(await publish(live, '1.0.0'), 201)
  await witness.stop()
  await witness.restart()
  assert.equal(await publish(live, '1.1.0'), 201)
  const [names, size] = await readSigners(live, [vkey, witness.vkey])
  assert.deepEqual(names, [live.ports.log.origin, 'witness.example/w1'])
  assert.equal(await shownBy(witness, vkey), size)
  assert.deepEqual(await versionsOf(live), ['1.0.0', '1.1.0'])
  assert.deepEqual(
    live.ports.witnesses.list().map(each => [each.name, each.size, each.why]),
    [['w0', size, '']],
  )
  const trust = await (await fetch(`${live.url}/log/trust`)).json()
  assert.equal(trust.policy.split('\n')[1], `witness w0 ${witness.vkey}`)
  await live.stop()
  assert.match((await examine(folder, flags)).out, /ok {3}witnesses: w0 \S+ has cosigned \d+ of \d+ entries/)
  await witness.stop()
  assert.match((await examine(folder, flags)).out, /FAIL witnesses: The other service 127\.0\.0\.1:\d+ gave/)
})

test('without the quorum a version stays unseen, and shows itself when the witness is back', async () => {
  const folder = await freshFolder()
  const witness = await startWitness('witness.example/w1', [await readLogKey(folder)])
  const live = await startLive({ folder, flags: await witnessFlags([witness], 'w0') })
  await witness.stop()
  const publishing = publish(live, '1.0.0')
  await delay(1500)
  assert.deepEqual(await versionsOf(live), [])
  await witness.restart()
  assert.equal(Math.floor((await publishing) / 100), 2)
  for (let tries = 0; tries < 300 && (await versionsOf(live)).length === 0; tries++) await delay(50)
  assert.deepEqual(await versionsOf(live), ['1.0.0'])
  await live.stop()
})

test('where no quorum is asked for, a witness that is down holds nobody up', async () => {
  const folder = await freshFolder()
  const vkey = await readLogKey(folder)
  const witness = await startWitness('witness.example/w1', [vkey])
  const live = await startLive({ folder, flags: await witnessFlags([witness], 'none') })
  await witness.stop()
  assert.equal(await publish(live, '1.0.0'), 201)
  assert.deepEqual((await readSigners(live, [vkey, witness.vkey]))[0], [live.ports.log.origin])
  await live.stop()
})

test('a database that was set back is noticed by the witness: nothing more is signed, and doctor says so', async () => {
  const folder = await freshFolder()
  const vkey = await readLogKey(folder)
  const witness = await startWitness('witness.example/w1', [vkey])
  const flags = await witnessFlags([witness], 'none')
  const first = await startLive({ folder, flags })
  assert.equal(await publish(first, '1.0.0'), 201)
  await first.stop()
  const old = await freshFolder()
  await cp(folder, old, { recursive: true })
  const second = await startLive({ folder, flags })
  assert.equal(await publish(second, '1.1.0'), 201)
  await second.stop()
  const seen = await shownBy(witness, vkey)
  // All of it is old, what the signer remembers too: only the witness knows more.
  await rm(folder, { recursive: true })
  await cp(old, folder, { recursive: true })
  const third = await startLive({ folder, flags })
  const halted = await waitForHalt(third.ports)
  assert.match(halted, /the witness w0 has cosigned/)
  assert.notEqual(await publish(third, '1.1.0'), 201)
  await assert.rejects(third.ports.log.checkRoom(), error => isProblem(error) && error.code === 'log-forked')
  assert.equal(await shownBy(witness, vkey), seen)
  await third.stop()
  const { code, out } = await examine(folder, flags)
  assert.match(out, /FAIL witnesses: w0 .* has cosigned/)
  assert.equal(code, 1)
})

test('two instances witness each other', async () => {
  const folders = [await freshFolder(), await freshFolder()] as const
  const keys = await Promise.all(folders.map(readLogKey))
  const witnesses = [
    await startWitness('witness.one.example', [keys[1] ?? '']),
    await startWitness('witness.two.example', [keys[0] ?? '']),
  ] as const
  const lives = [
    await startLive({ folder: folders[0], flags: await witnessFlags([witnesses[1]], 'w0') }),
    await startLive({ folder: folders[1], flags: await witnessFlags([witnesses[0]], 'w0') }),
  ]
  assert.deepEqual(await Promise.all(lives.map(live => publish(live, '1.0.0'))), [201, 201])
  for (const [at, live] of lives.entries()) {
    const other = witnesses[1 - at] ?? assert.fail()
    const [names] = await readSigners(live, [keys[at] ?? '', other.vkey])
    assert.equal(names.length, 2)
  }
  for (const live of lives) await live.stop()
})
