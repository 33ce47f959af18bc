// SPDX-License-Identifier: Apache-2.0
/** Holds what we write against the published schemas of its formats. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv, type ValidateFunction } from 'ajv'
import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

export type Format = 'cyclonedx' | 'spdx' | 'osv' | 'sarif'

const files: Readonly<Record<Format, string>> = {
  cyclonedx: 'bom-1.6',
  spdx: 'spdx-2.3',
  osv: 'osv',
  sarif: 'sarif-2.1.0',
}
const compiled = new Map<Format, ValidateFunction>()

/** Fails with the first faults where a document is not valid. */
export function assertValid(format: Format, document: unknown): void {
  const isValid = compiled.get(format) ?? compile(format)
  compiled.set(format, isValid)
  assert.ok(isValid(document), `${format}: ${JSON.stringify(isValid.errors?.slice(0, 5))}`)
}

function compile(format: Format): ValidateFunction {
  // SARIF's schema has a pattern that only the older reading of them takes.
  const settings = { strict: false, allErrors: true, unicodeRegExp: format !== 'sarif' }
  const ajv = format === 'osv' ? new Ajv2020(settings) : new Ajv(settings)
  addFormats.default(ajv)
  // Formats of other languages' mail and addresses, which nothing of ours has.
  for (const name of ['idn-email', 'iri-reference']) ajv.addFormat(name, true)
  if (format === 'cyclonedx') for (const name of ['spdx', 'jsf-0.82']) ajv.addSchema(readSchema(name))
  return ajv.compile(readSchema(files[format]))
}

function readSchema(name: string): object {
  return JSON.parse(
    readFileSync(join(import.meta.dirname, 'fixture/schema', `${name}.schema.json`), 'utf8'),
  ) as object
}
