// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { formatWitnessRequest, parseNote, parseVerifierKey, webCrypto } from '@holdfast/core'
import { makeSmallLog, spoilSignature } from '../../test/small-log.ts'
import { compare, readSubmission, withCosignature } from './judge.ts'

const fixture = new URL('../../../core/src/tlog/fixture/tlog-vectors.json', import.meta.url)
const { keys, events, bad } = JSON.parse(readFileSync(fixture, 'utf8'))
const published = await parseVerifierKey(webCrypto, keys.log.vkey)
const log = await makeSmallLog('log.example')
const logKeys = [published, log.key]

/** How the witness answers a request of which it heard what it holds. */
async function answer(body: string, held?: string): Promise<string> {
  const submission = await readSubmission(logKeys, body)
  if (submission.kind === 'refused') return String(submission.status)
  const verdict = await compare(submission, held)
  if (verdict.kind === 'refused') return String(verdict.status)
  return verdict.kind === 'conflict' ? `409 ${verdict.size}` : '200'
}

const fromNothing = (checkpoint: string) => formatWitnessRequest({ oldSize: 0, path: [], checkpoint })

test('the published request follows the published checkpoint, and nothing else', async () => {
  assert.equal(await answer(events.add_checkpoint_3_to_5, events.checkpoint_3), '200')
  assert.equal(await answer(events.add_checkpoint_3_to_5), '409 0')
  assert.equal(await answer(events.add_checkpoint_3_to_5, events.checkpoint_5), '409 5')
  assert.equal(await answer(fromNothing(bad.checkpoint_fork_size_3)), '200')
  assert.equal(await answer(events.add_checkpoint_3_to_5, bad.checkpoint_fork_size_3), '422')
})

test('the first checkpoint, a larger one and the same one again are cosigned', async () => {
  assert.equal(await answer(await log.request(0, 7)), '200')
  assert.equal(await answer(await log.request(0, 0)), '200')
  assert.equal(await answer(await log.request(7, 200), await log.checkpoint(7)), '200')
  assert.equal(await answer(await log.request(7, 7), await log.checkpoint(7)), '200')
  assert.equal(await answer(await log.request(0, 7), await log.checkpoint(0)), '200')
})

test('a log that was set back, or forked, is told the size or refused', async () => {
  const held = await log.checkpoint(9)
  const fork = log.fork(5)
  assert.equal(await answer(await log.request(0, 4), held), '409 9')
  assert.equal(await answer(await log.request(4, 12), held), '409 9')
  assert.equal(await answer(await fork.request(9, 9), held), '422')
  assert.equal(await answer(await fork.request(9, 12), held), '422')
  assert.equal(await answer(await log.fork(10).request(9, 12), held), '200')
})

test('a proof that is short, long, of another size or of one changed bit is refused', async () => {
  const held = await log.checkpoint(5)
  const [first = assert.fail(), ...rest] = await log.prove(5, 13)
  const flipped = Uint8Array.from(first, (byte, at) => (at === 3 ? byte ^ 4 : byte))
  const wrong = [
    rest,
    [first, ...rest, first],
    await log.prove(4, 13),
    await log.prove(5, 14),
    [flipped, ...rest],
    [],
  ]
  for (const path of wrong)
    assert.equal(
      await answer(formatWitnessRequest({ oldSize: 5, path, checkpoint: await log.checkpoint(13) }), held),
      '422',
    )
  const fromEmpty = { oldSize: 0, path: [first], checkpoint: await log.checkpoint(13) }
  assert.equal(await answer(formatWitnessRequest(fromEmpty)), '422')
})

test('what fails several checks gets the answer of the first', async () => {
  const unknown = await makeSmallLog('other.example')
  const impostor = await makeSmallLog('log.example', 'another key')
  assert.equal(await answer('old 3'), '400')
  assert.equal(await answer(await unknown.request(9, 4)), '404')
  assert.equal(await answer(await impostor.request(9, 4)), '403')
  assert.equal(await answer(spoilSignature(await log.request(9, 4))), '403')
  assert.equal(await answer(await log.request(9, 4), await log.checkpoint(2)), '400')
  assert.equal(await answer(await log.fork(0).request(3, 4), await log.checkpoint(2)), '409 2')
})

test('a known key that signs badly spoils the good signature of another', async () => {
  const next = await makeSmallLog('log.example', 'the next key')
  const good = await log.checkpoint(4)
  const both = (other: string) => fromNothing(`${good}${other.slice(other.indexOf('\u2014'))}`)
  const ask = async (body: string) => (await readSubmission([log.key, next.key], body)).kind
  assert.equal(await ask(both(await next.checkpoint(4))), 'submission')
  assert.equal(await ask(both(spoilSignature(await next.checkpoint(4)))), 'refused')
})

test('published checkpoints that are none are refused', async () => {
  const { checkpoint_leading_zero_size, checkpoint_short_root, checkpoint_flipped_signature } = bad
  for (const note of [checkpoint_leading_zero_size, checkpoint_short_root])
    assert.equal(await answer(fromNothing(note)), '400')
  for (const note of [checkpoint_flipped_signature, bad.checkpoint_other_key_same_name])
    assert.equal(await answer(fromNothing(note)), '403')
  assert.equal(await answer(fromNothing(bad.checkpoint_empty_tree_wrong_root)), '422')
})

test('what is kept has the signatures that held, and ours behind them', async () => {
  const stranger = `${await log.checkpoint(4)}\u2014 stranger.example AAAAAAAA\n`
  const submission = await readSubmission(logKeys, fromNothing(stranger))
  if (submission.kind === 'refused') assert.fail(submission.say)
  const kept = withCosignature(submission, { name: 'w', id: '01020304', bytes: Buffer.alloc(72) })
  assert.deepEqual(
    parseNote(kept).signatures.map(each => each.name),
    ['log.example', 'w'],
  )
})
