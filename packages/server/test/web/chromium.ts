// SPDX-License-Identifier: Apache-2.0
import { accessSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const executablePath = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium'
const args = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Why tests in a browser cannot run here, or false. */
export const noChromium: string | false = isHere() ? false : 'no Chromium'

/** A browser without a window. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath, args })
}

function isHere(): boolean {
  try {
    accessSync(executablePath)
    return true
  } catch {
    return false
  }
}
