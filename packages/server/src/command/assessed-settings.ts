// SPDX-License-Identifier: Apache-2.0
import { ConfigFaults, environmentName, readConfigFile } from '../config.ts'

/** What decides how capabilities stand and reaches nobody: not where letters go, what is asked, or where anything lies. */
const assessed = [
  'signUp',
  'signUpDomains',
  'mfa',
  'mfaGraceUntil',
  'recoveryWaitHours',
  'unpublishHours',
  'provenanceMaxAgeMinutes',
  'policy',
] as const

/** What a configuration file says that an assessment takes over to its throw-away instances, as an environment says it. */
export function readAssessedSettings(file: string): Readonly<Record<string, string>> {
  const faults: string[] = []
  const content = readConfigFile(file, faults)
  if (faults.length > 0) throw new ConfigFaults(faults)
  const told = assessed.filter(key => content[key] !== undefined && content[key] !== null)
  return Object.fromEntries(told.map(key => [environmentName(key), textOf(content[key])]))
}

function textOf(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
