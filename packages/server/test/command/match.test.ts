// SPDX-License-Identifier: Apache-2.0
/** `holdfast match`: advisories of a folder or a zip against one version, without a server. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { zipSync } from 'fflate'

const program = join(import.meta.dirname, '../../../cli/bin/holdfast.js')
let folder: string

const record = (id: string, name: string, fixed: string, more: object = {}) => ({
  id,
  modified: '2026-01-02T00:00:00Z',
  affected: [
    {
      package: { ecosystem: 'npm', name },
      ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed }] }],
    },
  ],
  ...more,
})

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'holdfast-match-'))
  await mkdir(join(folder, 'osv/deep'), { recursive: true })
  const write = (name: string, text: string) => writeFile(join(folder, 'osv', name), text)
  await write('two.json', JSON.stringify(record('GHSA-two', '@acme/ui', '2.0.0')))
  await write('deep/one.json', JSON.stringify([record('GHSA-one', '@acme/ui', '1.5.0')]))
  await write(
    'old.json',
    JSON.stringify(record('GHSA-old', '@acme/ui', '9.0.0', { withdrawn: '2026-03-01T00:00:00Z' })),
  )
  await write('lines.ndjson', `${JSON.stringify(record('MAL-1', 'bad', '1.0.0'))}\n\nnot json\n`)
  await write('broken.json', '{"id": "GHSA-broken"')
  await write('faulty.json', JSON.stringify({ id: 'GHSA-faulty', modified: 'soon' }))
  await write('deep.json', `${'['.repeat(200_000)}${']'.repeat(200_000)}`)
  await write('notes.txt', 'nothing')
  await symlink(join(folder, 'osv'), join(folder, 'osv/loop'))
  const files = {
    'a.json': record('GHSA-zip', 'zipped', '2.0.0'),
    '../../evil.json': record('GHSA-up', 'zipped', '3.0.0'),
  }
  const packed = Object.entries(files).map(([name, told]) => [name, Buffer.from(JSON.stringify(told))])
  await writeFile(join(folder, 'all.zip'), zipSync(Object.fromEntries(packed)))
  await writeFile(join(folder, 'bomb.zip'), zipSync({ 'bomb.json': new Uint8Array(64 * 1024 * 1024) }))
})
after(() => rm(folder, { recursive: true }))

const match = (...args: string[]) => holdfast('match', ...args)

function holdfast(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, [program, ...args], (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err })
    })
  })
}

test('ids come in order, and what cannot be read is named and passed over', async () => {
  const { code, out, err } = await match('@acme/ui@v1.0.0+mine', '--osv', join(folder, 'osv'), '--json')
  assert.deepEqual([code, out], [1, '{"ids":["GHSA-one","GHSA-two"]}\n'])
  for (const named of ['broken.json', 'faulty.json: GHSA-faulty', 'deep.json', 'lines.ndjson:3'])
    assert.ok(err.includes(named), `${named} in ${err}`)
  assert.ok(!err.includes('notes.txt') && !err.includes('GHSA-old'))
  assert.deepEqual(
    (await match('@acme/ui@2.0.0', '--osv', join(folder, 'osv'), '--json')).out,
    '{"ids":[]}\n',
  )
  assert.equal((await match('@acme/ui@2.0.0', '--osv', join(folder, 'osv'))).code, 0)
})

test('a zip is read as it is, and a bomb in one is a fault', async () => {
  const { out } = await match('zipped@1.0.0', '--osv', join(folder, 'all.zip'), '--json')
  assert.equal(out, '{"ids":["GHSA-up","GHSA-zip"]}\n')
  const bomb = await match('zipped@1.0.0', '--osv', join(folder, 'bomb.zip'), '--json')
  assert.deepEqual([bomb.code, bomb.out], [0, '{"ids":[]}\n'])
  assert.match(bomb.err, /bomb\.json: it is larger/)
})

test('a command line that asks for nothing, or a folder that is not there, ends with 2', async () => {
  const wrong = [
    [],
    ['ui'],
    ['ui@1.0.0'],
    ['ui@', '--osv', folder],
    ['ui@1.0.0', '--osv', join(folder, 'none')],
  ]
  for (const args of wrong) {
    const { code, err } = await match(...args)
    assert.equal(code, 2, args.join(' '))
    assert.doesNotMatch(err, /^ +at /m)
  }
})

test('reach reads the same advisories, of installed versions that they are about alone', async () => {
  const app = join(folder, 'app')
  const ui = join(app, 'node_modules/@acme/ui')
  await mkdir(ui, { recursive: true })
  await writeFile(join(app, 'index.js'), "require('@acme/ui')()")
  await writeFile(
    join(app, 'package.json'),
    '{"name":"app","main":"index.js","dependencies":{"@acme/ui":"*"}}',
  )
  await writeFile(join(ui, 'package.json'), '{"name":"@acme/ui","version":"1.9.0"}')
  await writeFile(join(ui, 'index.js'), 'module.exports = () => 1')
  const { code, out, err } = await holdfast('reach', app, '--osv', join(folder, 'osv'), '--json')
  assert.equal(code, 1, err)
  assert.deepEqual(Object.keys(JSON.parse(out).advisories), ['GHSA-two @acme/ui'])
  assert.match(err, /broken\.json/)
  await writeFile(join(folder, 'symbols.json'), '{')
  for (const args of [
    [app, '--osv', join(folder, 'none')],
    [join(folder, 'none'), '--osv', folder],
    [app, '--osv', folder, '--seconds', 'long'],
    [app, '--osv', folder, '--symbols', join(folder, 'symbols.json')],
    [app, '--osv', folder, '--entry', 'none.js'],
  ]) {
    const wrong = await holdfast('reach', ...args)
    assert.equal(wrong.code, 2, args.join(' '))
    assert.doesNotMatch(wrong.err, /^ +at /m)
  }
})
