// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { after, test } from 'node:test'
import { ended, freshPath } from './command-line.ts'

const launcher = join(import.meta.dirname, '../../../cli/bin/holdfast.js')

/** A folder with an `npm` that answers with this, and fails at anything else than the question for its registry. */
async function npmThatSays(text: string): Promise<string> {
  const folder = freshPath()
  await mkdir(folder, { recursive: true })
  const npm = join(folder, 'npm')
  await writeFile(npm, `#!/bin/sh\n[ "$*" = "config get registry" ] || exit 1\necho '${text}'\n`)
  await chmod(npm, 0o755)
  return folder
}

/** Starts a registry, waits for its first lines, stops it, and gives what it said. */
async function firstLines(data: string, npm: string, ...words: string[]): Promise<string> {
  const kept = Object.entries(process.env).filter(([key]) => !/^(npm_config_|HOLDFAST_)/i.test(key))
  const env = { ...Object.fromEntries(kept), PATH: `${npm}${delimiter}${process.env['PATH']}` }
  const child = spawn(process.execPath, [launcher, 'serve', '--data', data, ...words], {
    env,
    cwd: npm,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  after(() => child.kill())
  const end = ended(child)
  child.stdout?.on('data', chunk => {
    if (String(chunk).includes('set-up link')) child.kill('SIGTERM')
  })
  const { out, err } = await end
  assert.match(out, /listening on/, err)
  return out
}

test('the first start takes the registry of npm on this machine, says so and keeps it; the next one does not ask', async () => {
  const data = freshPath()
  const first = await firstLines(data, await npmThatSays('https://npm.acme.example/repo/'), '--port', '0')
  assert.match(first, /come from https:\/\/npm\.acme\.example\/repo, as npm here is set/)
  const kept = await readFile(join(data, 'origin'), 'utf8')
  assert.equal(kept, 'https://npm.acme.example/repo\n')
  const next = await firstLines(data, await npmThatSays('https://other.example/'), '--port', '0')
  assert.doesNotMatch(next, /other\.example/)
  assert.equal(await readFile(join(data, 'origin'), 'utf8'), kept)
})

test('a registry that stands alone asks nobody and keeps nothing', async () => {
  const data = freshPath()
  const said = await firstLines(
    data,
    await npmThatSays('https://npm.acme.example/'),
    '--port',
    '0',
    '--no-origin',
  )
  assert.doesNotMatch(said, /acme/)
  await assert.rejects(readFile(join(data, 'origin')))
})

test('npm that is set to this registry, or says nothing of use, gives no upstream', async () => {
  const ways: [string, RegExp][] = [
    ['http://localhost:46873/npm/', /set to this registry itself/],
    ['undefined', /names no registry/],
    ['file:///etc', /names no registry/],
  ]
  for (const [says, expected] of ways) {
    const data = freshPath()
    assert.match(await firstLines(data, await npmThatSays(says), '--port', '46873'), expected)
    await assert.rejects(readFile(join(data, 'origin')))
  }
})
