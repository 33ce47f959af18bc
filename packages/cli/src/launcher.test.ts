// SPDX-License-Identifier: Apache-2.0
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'

/** Makes this Node say it is an old one: the launcher only reads its version. */
const actOld = `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.11.0'})`

/** A copy of the launcher, and what it loads first, in a folder of its own, with a script in the place of the pinned Node if one is given. */
function makeClone(t: TestContext, pinned?: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-launcher-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const launcher = join(folder, 'packages/cli/bin/holdfast.js')
  cpSync(fileURLToPath(new URL('../bin', import.meta.url)), join(launcher, '..'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  if (pinned !== undefined) {
    mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true })
    writeFileSync(join(folder, 'node_modules/.bin/node'), `#!/bin/sh\n${pinned}\n`)
    chmodSync(join(folder, 'node_modules/.bin/node'), 0o755)
  }
  return launcher
}

test('an old Node hands over to the pinned one of the clone, with arguments and exit code', t => {
  const launcher = makeClone(t, 'shift; echo "pinned: $*"; exit 3')
  const args = ['--import', actOld, launcher, 'verify', '--json', 'a b']
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.deepEqual([status, stdout], [3, 'pinned: verify --json a b\n'])
})

test('an old Node in a folder without a pinned one says what to install and exits with 2', t => {
  const args = ['--import', actOld, makeClone(t), 'serve']
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.equal(status, 2)
  assert.match(stderr, /needs Node\.js 24\.15 or newer, and this is 20\.11\.0/)
  assert.match(stderr, /install Node\.js 24/)
})

test('SIGTERM to the old Node reaches the pinned one, and its exit code comes back', async t => {
  const launcher = makeClone(t, 'trap "echo stopped; exit 7" TERM; echo ready; while :; do sleep 0.05; done')
  const child = spawn(process.execPath, ['--import', actOld, launcher, 'serve'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const output: string[] = []
  child.stdout.on('data', chunk => output.push(String(chunk)))
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  const [code] = await once(child, 'close')
  assert.deepEqual([code, output.join('')], [7, 'ready\nstopped\n'])
})

test('when a signal ends the pinned Node, the same signal ends the old one', async t => {
  const launcher = makeClone(t, 'kill -KILL $$')
  const child = spawn(process.execPath, ['--import', actOld, launcher], { stdio: 'ignore' })
  const [, signal] = await once(child, 'close')
  assert.equal(signal, 'SIGKILL')
})

/** A clone whose command line runs `code` and nothing else. */
function makeCloneOf(t: TestContext, code: string): string {
  const launcher = makeClone(t)
  mkdirSync(join(launcher, '../../src'))
  writeFileSync(
    join(launcher, '../../src/main.ts'),
    `export const run = (args: string[]): void => { ${code} }`,
  )
  return launcher
}

test('warnings about features we are built on are silent, every other one shows', t => {
  const launcher = makeCloneOf(
    t,
    `process.emitWarning('SQLite is an experimental feature', 'ExperimentalWarning')
     process.emitWarning('Something else is an experimental feature', 'ExperimentalWarning')
     process.emitWarning('SQLite will go away', 'DeprecationWarning')`,
  )
  const { stderr } = spawnSync(process.execPath, [launcher], { encoding: 'utf8' })
  assert.doesNotMatch(stderr, /SQLite is an experimental/)
  assert.match(stderr, /Something else is an experimental/)
  assert.match(stderr, /SQLite will go away/)
})

test('whoever stops reading ends nothing: the work is done, and its exit code comes', async t => {
  const launcher = makeCloneOf(
    t,
    `process.stdout.write('first\\n')
     let left = 20
     const timer = setInterval(() => {
       process.stdout.write('more\\n')
       if (--left > 0) return
       clearInterval(timer)
       process.exitCode = 1
     }, 5)`,
  )
  const child = spawn(process.execPath, [launcher], { stdio: ['ignore', 'pipe', 'pipe'] })
  child.stdout.once('data', () => child.stdout.destroy())
  const said: string[] = []
  child.stderr.on('data', chunk => said.push(String(chunk)))
  const [code] = await once(child, 'close')
  assert.deepEqual([code, said.join('')], [1, ''])
})

test('compiled modules are kept in the own cache folder of the user, which nobody else may write', t => {
  const launcher = makeCloneOf(t, 'process.stdout.write(args.join())')
  const cache = join(launcher, '../cache')
  const env = { ...process.env, XDG_CACHE_HOME: cache, NODE_COMPILE_CACHE: undefined }
  const { stdout } = spawnSync(process.execPath, [launcher, 'a', 'b'], { encoding: 'utf8', env })
  assert.equal(stdout, 'a,b')
  assert.equal(statSync(join(cache, 'holdfast/compile')).mode & 0o077, 0)
  assert.ok(readdirSync(join(cache, 'holdfast/compile')).length > 0)
})

test('what CommonJS asks for without its ending is found, and a missing module is named', t => {
  const launcher = makeCloneOf(
    t,
    `for (const each of ['../lib/old.cjs', './no.ts']) import(each).then(show, error => show({ default: error.message }))
     function show(found: { default: string }): void { process.stdout.write(found.default + ';') }`,
  )
  const lib = join(launcher, '../../lib')
  mkdirSync(lib)
  writeFileSync(join(lib, 'old.cjs'), `module.exports = require('./part')`)
  writeFileSync(join(lib, 'part.js'), `module.exports = 'joined'`)
  writeFileSync(join(lib, 'package.json'), '{"type":"commonjs"}')
  const { stdout } = spawnSync(process.execPath, [launcher], { encoding: 'utf8' })
  assert.match(stdout, /joined;/)
  assert.match(stdout, /packages\/cli\/src\/no\.ts/)
})

test('no command pays for fetch and WebSocket, which Node brings along with an import of node:http', t => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-launcher-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const tell = `data:text/javascript,process.on('exit',()=>console.log(process.moduleLoadList.join('\\n')))`
  const launcher = fileURLToPath(new URL('../bin/holdfast.js', import.meta.url))
  const words = ['--import', tell, launcher, 'operator', 'host', '--data', folder]
  const { stdout } = spawnSync(process.execPath, words, { encoding: 'utf8' })
  assert.match(stdout, /NativeModule http$/m)
  assert.ok(!stdout.includes('undici'), 'fetch was loaded')
})

test('each of our packages gets the dependency that is installed for it, and what others wrote gets its own', t => {
  const launcher = makeClone(t)
  const folder = join(launcher, '../../..')
  const write = (path: string, text: string) => {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const install = (path: string, text: string) => {
    write(`${path}/package.json`, '{"type":"module","exports":"./index.js"}')
    write(`${path}/index.js`, text)
  }
  install('../node_modules/shared', "export const from = 'all'")
  install('cli/node_modules/shared', "export const from = 'cli'")
  install('cli/node_modules/other', "export { from as others } from 'shared'")
  install('cli/node_modules/other/node_modules/shared', "export const from = 'other'")
  write('server/src/port.ts', "export { from as server } from 'shared'")
  write(
    'cli/src/main.ts',
    `import { from } from 'shared'
     import { others } from 'other'
     import { server } from '../../server/src/port.ts'
     import { again } from './again.ts'
     export const run = () => console.log(from, again, others, server)`,
  )
  write('cli/src/again.ts', "export { from as again } from 'shared'")
  const done = spawnSync(process.execPath, [launcher], { encoding: 'utf8' })
  assert.equal(done.stdout, 'cli cli other all\n', done.stderr)
})
