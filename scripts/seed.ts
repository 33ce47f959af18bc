// SPDX-License-Identifier: Apache-2.0
/**
 * Writes a folder of tarballs for scale tests: `node scripts/seed.ts FOLDER [--packages 1000] [--versions 10] [--kib 8]`.
 * Import it with `npx holdfast import FOLDER --data DIR --host-names`. The same call writes the same bytes.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { packPackage } from '../packages/server/test/fixture/tarball.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    packages: { type: 'string', default: '1000' },
    versions: { type: 'string', default: '10' },
    kib: { type: 'string', default: '8' },
  },
})
const [folder] = positionals
if (folder === undefined) throw new Error('Name the folder to write to.')
for (let index = 0; index < Number(values.packages); index++) {
  writePackage(folder, `seed-${index}`, Number(values.versions), Number(values.kib) * 1024)
}

function writePackage(root: string, name: string, versions: number, sizeBytes: number): void {
  mkdirSync(join(root, name), { recursive: true })
  for (let minor = 0; minor < versions; minor++) {
    const version = `1.${minor}.0`
    writeFileSync(join(root, name, `${name}-${version}.tgz`), pack(name, version, sizeBytes))
  }
}

function pack(name: string, version: string, sizeBytes: number): Buffer {
  const manifest = {
    name,
    version,
    description: `Package ${name}, made for scale tests`,
    license: 'MIT',
    keywords: ['seed', name.slice(-1)],
    main: 'index.js',
    dependencies: { [`seed-${name.length}`]: '^1.0.0' },
  }
  const files = {
    'index.js': noise(`${name}@${version}`, sizeBytes),
    'README.md': `# ${name}\n\nNumber ${version}.\n`,
  }
  return packPackage(manifest, files)
}

/** Text that compresses about as well as code does. */
function noise(seed: string, sizeBytes: number): string {
  const lines: string[] = []
  for (let size = 0; size < sizeBytes; ) {
    const word = createHash('sha256').update(`${seed} ${lines.length}`).digest('base64url')
    const line = `export const value_${lines.length} = readValue('${word.slice(0, 20)}', options)`
    lines.push(line)
    size += line.length + 1
  }
  return lines.join('\n')
}
