// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { describeFinding } from './manifest-diff.ts'
import { diffPackages, type FileDiff, type PackageContent } from './package-diff.ts'

type Manifest = Record<string, unknown>

function content(manifest: Manifest, files: Record<string, string | Uint8Array> = {}): PackageContent {
  const all = { 'package.json': JSON.stringify(manifest), ...files }
  const hasInstallScript = 'postinstall' in ((manifest['scripts'] as Manifest | undefined) ?? {})
  return {
    manifest,
    hasInstallScript,
    files: Object.entries(all).map(([path, given]) => {
      const bytes = Buffer.from(given as string)
      const digest = createHash('sha256').update(bytes).digest('hex')
      return { path, sizeBytes: bytes.length, mode: 0o644, digest, bytes }
    }),
  }
}

const kinds = (before: PackageContent, after: PackageContent) =>
  diffPackages(before, after).findings.map(each => `${each.weight} ${each.kind} ${each.subject}`.trim())
const fileOf = (files: readonly FileDiff[], path: string) => files.find(each => each.path === path)
const same = { name: 'a', version: '1.0.0' }

test('files that were added, removed and changed are listed, equal ones are counted', () => {
  const before = content(same, { 'old.js': 'old', 'kept.js': 'kept', 'main.js': 'one\ntwo\n' })
  const after = content(same, { 'new.js': 'new', 'kept.js': 'kept', 'main.js': 'one\n2\n' })
  const { files, unchangedFiles } = diffPackages(before, after)
  assert.deepEqual(
    files.map(each => `${each.change} ${each.path}`),
    ['changed main.js', 'added new.js', 'removed old.js'],
  )
  assert.equal(unchangedFiles, 2)
  const body = fileOf(files, 'main.js')?.body
  assert.ok(body?.kind === 'text')
  assert.deepEqual(
    body.hunks[0]?.lines.map(line => `${line.kind} ${line.text}`),
    ['same one', 'removed two', 'added 2'],
  )
})

test('a new dependency, an install script and a command are findings, the gravest first', () => {
  const before = content({ ...same, dependencies: { b: '^1.0.0' } })
  const after = content({
    ...same,
    dependencies: { b: '^2.0.0', c: '*' },
    scripts: { postinstall: 'node x.js', test: 'node --test' },
    bin: { a: 'cli.js' },
  })
  assert.deepEqual(kinds(before, after), [
    'grave script-added postinstall',
    'grave runs-at-install',
    'notable dependency-added c',
    'notable command-changed bin',
    'minor dependency-changed b',
  ])
  assert.equal(
    describeFinding({ kind: 'dependency-added', weight: 'notable', subject: 'c', after: '*' }),
    'New dependency c *',
  )
})

test('values that differ only far behind their beginning still differ', () => {
  const long = 'x'.repeat(1000)
  const before = content({ ...same, scripts: { install: `${long}a` } })
  const after = content({ ...same, scripts: { install: `${long}b` } })
  assert.ok(kinds(before, after).includes('grave script-changed install'))
})

test('what is hidden from the eye is found, and written out where it is shown', () => {
  const before = content(same, { 'main.js': 'let a\n' })
  for (const trick of ['\u202e', '\u{e0041}\u{e0042}\u{e0043}\u{e0044}', '\ufe00\ufe01\ufe02\ufe03']) {
    const after = content(same, { 'main.js': `let a${trick}\n` })
    assert.deepEqual(kinds(before, after), ['grave hidden-characters main.js'])
    const { files } = diffPackages(before, after)
    assert.ok(!JSON.stringify(files).includes(trick))
  }
  const emoji = content(same, { 'main.js': 'let a // ❤️ 👩‍👩‍👧\n' })
  assert.deepEqual(kinds(before, emoji), [])
})

test('a path that deceives is found, and written out in the sentence about it', () => {
  const path = 'lib/\u202esj.exe'
  const { findings } = diffPackages(content(same), content(same, { [path]: 'let a\n' }))
  const said = findings.map(describeFinding)
  assert.ok(said.includes('lib/\\u{202e}sj.exe holds characters that deceive the eye'), said.join('; '))
})

test('a dependency hides behind no other field of its name, and one that comes from elsewhere is notable', () => {
  const peer = { ...same, peerDependencies: { a: '1.0.0' } }
  assert.deepEqual(kinds(content(peer), content({ ...peer, dependencies: { a: '1.0.0' } })), [
    'minor dependency-changed a',
  ])
  const wants = (range: string) => content({ ...same, dependencies: { a: range } })
  assert.deepEqual(kinds(wants('1.0.0'), wants('github:mallory/a')), ['notable dependency-changed a'])
  assert.deepEqual(kinds(wants('1.0.0'), wants('1.0.1')), ['minor dependency-changed a'])
})

test('a minified line is broken up, so that a change inside it can be read, and said to be unreadable', () => {
  const line = Array.from({ length: 500 }, (_, i) => `f${i}(a);`).join('')
  const before = content(same, { 'min.js': `${line}` })
  const after = content(same, { 'min.js': line.replace('f250(a);', 'steal(env);') })
  const body = fileOf(diffPackages(before, after).files, 'min.js')?.body
  assert.ok(body?.kind === 'text' && body.isUnfolded)
  assert.deepEqual([body.addedLines, body.removedLines], [1, 1])
  assert.ok(JSON.stringify(body).includes('steal(env);'))
  assert.deepEqual(kinds(content(same), before), ['notable unreadable-lines min.js'])
})

test('binary and large files are compared by their bytes and not shown', () => {
  const before = content(same, { 'a.node': Buffer.from([0, 1, 2]) })
  const after = content(same, { 'a.node': Buffer.from([0, 1, 3]), 'b.bin': Buffer.from([0xff, 0xfe]) })
  assert.deepEqual(kinds(before, after), ['notable binary-changed a.node', 'notable binary-added b.bin'])
  const large = { path: 'big.js', sizeBytes: 10 ** 8, mode: 0o644, digest: 'x' }
  const { files } = diffPackages(before, { ...before, files: [...before.files, large] })
  assert.deepEqual(files[0]?.body, { kind: 'large' })
})

test('a file that becomes executable is told though its bytes are the same', () => {
  const before = content(same, { 'run.sh': 'echo' })
  const files = before.files.map(each => (each.path === 'run.sh' ? { ...each, mode: 0o755 } : each))
  const diff = diffPackages(before, { ...before, files })
  assert.deepEqual(diff.files[0]?.body, { kind: 'same' })
  assert.deepEqual(
    diff.findings.map(each => each.kind),
    ['made-executable'],
  )
})

test('the result is bounded whatever the packages hold', () => {
  const many = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`f${i}.js`, 'line\n'.repeat(50)]))
  const diff = diffPackages(undefined, content(same, many))
  assert.ok(diff.isCut)
  assert.equal(diff.files.length, 1000)
  const lines = diff.files
    .flatMap(({ body }) => (body.kind === 'text' ? body.hunks : []))
    .flatMap(hunk => hunk.lines)
  assert.equal(lines.length, 10_000)
})
