// SPDX-License-Identifier: Apache-2.0
/** Where an instance is served: known to commands of its own also where only the flags of `serve` said it. */
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isLoopback } from '../config.ts'
import type { Config } from '../main.ts'

/** Notes the address for the commands that follow; it stays when the server stops, as links are opened later. */
export async function noteServedAddress({ data, publicUrl }: Config): Promise<void> {
  await writeFile(fileOf(data), `${publicUrl}\n`, { mode: 0o600 })
}

/** The configuration with the address where it was last served, unless it names another than the one it has by default. */
export function atServedAddress(config: Config): Config {
  const isTold = config.publicUrl !== `http://${config.host}:${config.port}`
  if (isTold || !existsSync(fileOf(config.data))) return config
  const noted = readFileSync(fileOf(config.data), 'utf8').trim()
  // Only what this default can be by another port.
  const url = URL.canParse(noted) ? new URL(noted) : undefined
  const isOurs = url?.protocol === 'http:' && url.origin === noted && isLoopback(url.hostname)
  return isOurs ? Object.freeze({ ...config, port: Number(url.port), publicUrl: noted }) : config
}

function fileOf(data: string): string {
  return join(data, 'address')
}
