// SPDX-License-Identifier: Apache-2.0
/** The command line as people run it, and folders that go when the tests end. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { type OpenPorts, openPorts, readConfig } from '../../src/main.ts'
import { type Ended, openHost } from '../host.ts'

const launcher = join(import.meta.dirname, '../../../cli/bin/holdfast.js')

const root = mkdtempSync(join(tmpdir(), 'holdfast-'))
/** What the command line keeps for a person, it keeps here. */
const keptHere = { XDG_CONFIG_HOME: join(root, 'config'), XDG_STATE_HOME: join(root, 'state') }
const host = openHost()
after(async () => {
  await host.close()
  rmSync(root, { recursive: true, force: true })
})

let folders = 0

/** A path of its own for a test; nothing is there yet. */
export function freshPath(): string {
  folders += 1
  return join(root, `folder-${folders}`)
}

/** Starts `holdfast` with these words, as a process of its own. */
export function start(...words: string[]): ChildProcess {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('HOLDFAST_')),
  )
  return spawn(process.execPath, [launcher, ...words], {
    cwd: root,
    env: { ...env, ...keptHere },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Runs `holdfast` to its end; one after the other. */
export function holdfast(...words: string[]): Promise<Ended> {
  return host.run(root, keptHere, words)
}

/** Waits for a process and gathers what it prints. */
export function ended(child: ChildProcess): Promise<Ended> {
  const said = { out: '', err: '' }
  child.stdout?.on('data', chunk => {
    said.out += chunk
  })
  child.stderr?.on('data', chunk => {
    said.err += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => resolve({ code, ...said }))
  })
}

/** Starts a server on the folder and waits until it listens. */
export async function serve(data: string): Promise<{ url: string; stop(): Promise<Ended> }> {
  const child = start('serve', '--no-origin', '--port', '0', '--data', data)
  const end = ended(child)
  const url = await new Promise<string>((resolve, reject) => {
    let said = ''
    child.stdout?.on('data', chunk => {
      said += chunk
      const found = /listening on (\S+)/.exec(said)
      if (found?.[1] !== undefined) resolve(found[1])
    })
    void end.then(({ err }) => reject(new Error(`the server did not start: ${err}`)))
  })
  const stop = () => {
    child.kill('SIGTERM')
    return end
  }
  // A test that fails before it stops its server would wait for it for ever.
  after(stop)
  return { url, stop }
}

/** Opens the instance in a folder, for one look or act. */
export async function withPorts<T>(data: string, work: (opened: OpenPorts) => Promise<T>): Promise<T> {
  const opened = await openPorts(readConfig({ data }, {}))
  try {
    return await work(opened)
  } finally {
    await opened.close()
  }
}
