// SPDX-License-Identifier: Apache-2.0
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { ProbeInstance } from './probe.ts'
import type { ProbeClient } from './probe-client.ts'
import { makeTarball, type SamplePackage } from './sample-package.ts'

const launcher = fileURLToPath(new URL('../../bin/holdfast.js', import.meta.url))

/** A project of somebody who uses the instance, on this machine. */
export interface ProbeProject {
  readonly folder: string
  write(file: string, content: string): Promise<void>
  read(file: string): Promise<string>
  /** Runs `holdfast …` in it, as its developer does: with the instance as npm's registry, and nothing else of this machine. */
  holdfast(...args: string[]): Promise<Ran>
  remove(): Promise<void>
}

export interface Ran {
  readonly code: number
  readonly out: string
  /** What was printed, for messages. */
  readonly said: string
}

/** An empty project whose clients are set to the instance. */
export async function openProbeProject(instance: ProbeInstance, client: ProbeClient): Promise<ProbeProject> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-probe-'))
  const registry = `${instance.url}/npm/`
  const settings = [
    `registry=${registry}`,
    `${registry.replace(/^https?:/, '')}:_authToken=${client.token}`,
    'cache=.npm',
    'update-notifier=false',
  ]
  await writeFile(join(folder, '.npmrc'), `${settings.join('\n')}\n`)
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, NO_COLOR: '1' }
  return {
    folder,
    async write(file, content) {
      await mkdir(dirname(join(folder, file)), { recursive: true })
      await writeFile(join(folder, file), content)
    },
    read: file => readFile(join(folder, file), 'utf8'),
    async holdfast(...args) {
      const child = spawn(process.execPath, [launcher, ...args], {
        cwd: folder,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      const [out, error, [code]] = await Promise.all([
        text(child.stdout),
        text(child.stderr),
        once(child, 'close'),
      ])
      return { code: Number(code), out, said: `${code} ${out}${error}`.slice(0, 600) }
    },
    remove: () => rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  }
}

/** The integrity of a sample's tarball, as its lock entry has it. */
export function integrityOf(sample: SamplePackage): string {
  return `sha512-${createHash('sha512').update(makeTarball(sample)).digest('base64')}`
}

/** A lock file of npm for a project that needs the first of these, each with where it lies at the instance. */
export function writeNpmLock(
  instance: ProbeInstance,
  manifest: object,
  samples: readonly SamplePackage[],
): string {
  const entries = samples.map(sample => {
    const { name, version, dependencies } = sample
    const resolved = `${instance.url}/npm/${name}/-/${name.split('/').at(-1)}-${version}.tgz`
    return [
      `node_modules/${name}`,
      { version, resolved, integrity: integrityOf(sample), license: 'MIT', dependencies },
    ]
  })
  const packages = { '': manifest, ...Object.fromEntries(entries) }
  return `${JSON.stringify({ name: 'probe', version: '1.0.0', lockfileVersion: 3, requires: true, packages }, null, 2)}\n`
}
