// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHash, createPrivateKey, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { encodeBase64 } from './bytes.ts'
import { formatCheckpoint, parseCheckpoint } from './checkpoint.ts'
import { cosignedMessage, readCosignatureTime } from './cosignature.ts'
import { type LogCrypto, webCrypto } from './log-crypto.ts'
import {
  formatNote,
  formatVerifierKey,
  makeVerifierKey,
  type Note,
  parseNote,
  parseVerifierKey,
  verifyNote,
} from './note.ts'

const vectors = JSON.parse(readFileSync(new URL('./fixture/tlog-vectors.json', import.meta.url), 'utf8'))
const { events, bad } = vectors
const crypto: LogCrypto = webCrypto
const logKey = await parseVerifierKey(crypto, vectors.keys.log.vkey)
const witnesses: { name: string; seed: string; vkey: string }[] = vectors.keys.witnesses
const witnessKeys = await Promise.all(witnesses.map(({ vkey }) => parseVerifierKey(crypto, vkey)))
const [firstWitness] = witnessKeys
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex')

function signText(seedHex: string, message: string | Uint8Array): Buffer {
  const der = Buffer.concat([pkcs8, Buffer.from(seedHex, 'hex')])
  return sign(null, Buffer.from(message), createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
}
const signAsLog = (text: string): Note => ({
  text,
  signatures: [{ name: logKey.name, id: logKey.id, bytes: signText(vectors.keys.log.seed, text) }],
})
const otherLine = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ name: `other${at}`, id: '01020304', bytes: Buffer.of(at) }))

test('published notes are read, verified and written back to the same text', async () => {
  const fooKey = await parseVerifierKey(crypto, vectors.note_example.vkey)
  const cases = [
    [vectors.note_example.note, [fooKey]],
    [events.checkpoint_3, [logKey]],
    [events.checkpoint_5, [logKey]],
    [events.checkpoint_5_cosigned, [logKey, ...witnessKeys]],
  ] as const
  for (const [text, keys] of cases) {
    const note = parseNote(text)
    assert.equal(formatNote(note), text)
    assert.deepEqual(await verifyNote(crypto, note, keys), keys)
  }
})

test('signing the published text with the published seed gives the published note', () => {
  const { text } = parseNote(events.checkpoint_5)
  assert.equal(formatNote(signAsLog(text)), events.checkpoint_5)
})

test('a checkpoint is what its text says, both ways', () => {
  const { text } = parseNote(events.checkpoint_5)
  const checkpoint = parseCheckpoint(text)
  assert.equal(checkpoint.origin, vectors.keys.log.origin)
  assert.equal(checkpoint.size, 5)
  assert.equal(Buffer.from(checkpoint.root).toString('hex'), events.roots[5])
  assert.equal(formatCheckpoint(checkpoint), text)
})

test('what witnesses sign names the time, and the time is read back from the signature', () => {
  const note = parseNote(events.checkpoint_5_cosigned)
  const [, first, second] = note.signatures
  assert.ok(first && second)
  assert.equal(readCosignatureTime(first), 1767225605)
  assert.equal(readCosignatureTime(second), 1767225606)
  const message = cosignedMessage(1767225605, note.text)
  assert.equal(new TextDecoder().decode(message), events.cosignature_message_w1)
  assert.deepEqual(Buffer.from(first.bytes.subarray(8)), signText(witnesses[0]?.seed ?? '', message))
})

test('every published bad note is refused', async () => {
  const all = [logKey, ...witnessKeys]
  for (const [name, text] of Object.entries(bad as Record<string, string>)) {
    // A fork is well signed; only a consistency proof shows it.
    if (name === 'checkpoint_fork_size_3') continue
    const read = async () => {
      const note = parseNote(text)
      await verifyNote(crypto, note, all)
      return parseCheckpoint(note.text)
    }
    await assert.rejects(read, { code: 'note-refused' }, name)
  }
})

test('verifier keys are read and written, and refused when their id is not that of the key', async () => {
  assert.equal(formatVerifierKey(logKey), vectors.keys.log.vkey)
  const made = await makeVerifierKey(crypto, logKey.name, 1, Buffer.from(vectors.keys.log.public, 'hex'))
  assert.deepEqual(made, { ...logKey, publicKey: made.publicKey })
  const { vkey } = vectors.keys.log
  for (const text of [
    vkey.replace('12519b36', '12519b37'),
    vkey.replace('12519b36', '12519B36'),
    vkey.replace('registry', 'registrar'),
    vkey.slice(0, -4),
    `${vkey}=`,
    `${vkey}\n`,
    `+${vkey}`,
    'a+b',
    '',
  ]) {
    await assert.rejects(parseVerifierKey(crypto, text), { code: 'note-refused' }, text)
  }
})

test("newer kinds of keys are read, and their signatures neither count nor spoil others'", async () => {
  const newer = await makeVerifierKey(crypto, 'w', 6, new Uint8Array(1312))
  assert.deepEqual(await parseVerifierKey(crypto, formatVerifierKey(newer)), newer)
  const note = parseNote(events.checkpoint_5)
  const signatures = [...note.signatures, { name: 'w', id: newer.id, bytes: new Uint8Array(2428) }]
  assert.deepEqual(await verifyNote(crypto, { ...note, signatures }, [logKey, newer]), [logKey])
})

test('a note whose text has blank lines ends at the last one', async () => {
  const note = signAsLog('first\n\n\nlast\n')
  const read = parseNote(formatNote(note))
  assert.equal(read.text, note.text)
  assert.deepEqual(await verifyNote(crypto, read, [logKey]), [logKey])
})

test('a note may have many signatures of strangers, up to a bound', async () => {
  const note = signAsLog('text\n')
  const crowd = { ...note, signatures: [...otherLine(31), ...note.signatures] }
  assert.deepEqual(await verifyNote(crypto, parseNote(formatNote(crowd)), [logKey]), [logKey])
  const mob = { ...note, signatures: [...otherLine(32), ...note.signatures] }
  assert.throws(() => parseNote(formatNote(mob)), { code: 'note-refused' })
})

test('text that is no note is refused', () => {
  const good: string = events.checkpoint_5
  const line = good.slice(good.lastIndexOf('\u2014'))
  for (const [why, text] of Object.entries({
    empty: '',
    'no signature': 'text\n',
    'nothing after the blank line': 'text\n\n',
    'carriage returns': good.replaceAll('\n', '\r\n'),
    'no line feed at the end': good.slice(0, -1),
    'a space at the end': `${good.slice(0, -1)} \n`,
    'a tab in the text': good.replace('registry', 'reg\tistry'),
    'a zero byte': good.replace('registry', 'reg\0istry'),
    'half a character': good.replace('registry', '\ud800'),
    'a plus sign in the name': good.replace(line, line.replace('registry', 'reg+istry')),
    'a wide space in the name': good.replace(line, line.replace('registry', 'reg\u2003istry')),
    'no name': good.replace(line, line.replace(/ \S+ /, '  ')),
    'a hyphen for a dash': good.replace('\u2014', '-'),
    'two spaces': good.replace('\u2014 ', '\u2014  '),
    'no padding': good.replace(/=+\n$/, '\n'),
    'stray bits in the base64': good.replace(/w=\n$/, 'x=\n'),
    'base64 of the other alphabet': good.replace('/BuK', '_BuK'),
    'a signature of four bytes': good.replace(line, `\u2014 name ${encodeBase64(Buffer.alloc(4))}\n`),
    'very long': `${'a'.repeat(65_536)}\n\n${line}`,
  })) {
    assert.throws(() => parseNote(text), { code: 'note-refused' }, why)
  }
})

test('one wrong signature of a known key spoils the note, also beside a good one', async () => {
  const note = parseNote(events.checkpoint_5_cosigned)
  const [log, first, second] = note.signatures
  assert.ok(log && first && second && firstWitness)
  const spoilt = { ...first, bytes: first.bytes.map((byte, at) => (at === 70 ? byte + 1 : byte)) }
  const wrong = { ...note, signatures: [log, spoilt, second] }
  await assert.rejects(verifyNote(crypto, wrong, [logKey, ...witnessKeys]), { code: 'note-refused' })
  const trailing = { ...log, bytes: Buffer.concat([log.bytes, Buffer.of(0)]) }
  await assert.rejects(verifyNote(crypto, { ...note, signatures: [trailing] }, [logKey]), {
    code: 'note-refused',
  })
  // Whoever does not know the witness does not care.
  assert.deepEqual(await verifyNote(crypto, wrong, [logKey]), [logKey])
})

test('a key of the same name, or the same id, is not the same key', async () => {
  const note = parseNote(events.checkpoint_5)
  const other = await makeVerifierKey(crypto, logKey.name, 1, createHash('sha256').update('other').digest())
  await assert.rejects(verifyNote(crypto, note, [other]), { code: 'note-refused' })
  await assert.rejects(verifyNote(crypto, note, [{ ...logKey, name: 'somebody' }]), { code: 'note-refused' })
  await assert.rejects(verifyNote(crypto, note, []), { code: 'note-refused' })
})

test('a signature of the log is no cosignature, nor the other way round', async () => {
  const note = parseNote(events.checkpoint_5_cosigned)
  const [log, first] = note.signatures
  assert.ok(log && first && firstWitness)
  const asWitness = { ...note, signatures: [log] }
  await assert.rejects(verifyNote(crypto, asWitness, [{ ...logKey, type: 4 }]), { code: 'note-refused' })
  const asLog = { ...note, signatures: [first] }
  await assert.rejects(verifyNote(crypto, asLog, [{ ...firstWitness, type: 1 }]), { code: 'note-refused' })
})

test('checkpoints with a size or root in another form are refused', () => {
  const root = encodeBase64(new Uint8Array(32))
  for (const text of [
    `origin\n5\n${root}`,
    `origin\n5\n${root}\n\n`,
    `\n5\n${root}\n`,
    `origin\n+5\n${root}\n`,
    `origin\n5.0\n${root}\n`,
    `origin\n5e3\n${root}\n`,
    `origin\n-1\n${root}\n`,
    `origin\n\n${root}\n`,
    `origin\n9007199254740992\n${root}\n`,
    `origin\n99999999999999999999\n${root}\n`,
    `origin\n5\n${root.slice(0, -1)}\n`,
    'origin\n5\n',
    `origin\n0\n${root}\n`,
  ]) {
    assert.throws(() => parseCheckpoint(text), { code: 'note-refused' }, text)
  }
  assert.equal(
    parseCheckpoint(`origin\n9007199254740991\n${root}\nextension\n`).size,
    Number.MAX_SAFE_INTEGER,
  )
})

test('a cosignature without a sane time is refused', () => {
  for (const bytes of [Buffer.alloc(7), Buffer.alloc(72, 0xff)]) {
    assert.throws(() => readCosignatureTime({ bytes }), { code: 'note-refused' })
  }
})
