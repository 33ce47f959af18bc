// SPDX-License-Identifier: Apache-2.0

/** Stops with what to install when this Node is older than the one Holdfast is written for. */
export function checkNodeVersion(): void {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 24 || (major === 24 && minor >= 15)) return
  process.stderr.write(
    `This is Node.js ${process.versions.node}; Holdfast needs 24.15 or newer.\n` +
      'npm ci brings the right one for most platforms, and npm scripts then run on it. Elsewhere install Node.js 24 LTS.\n',
  )
  process.exit(2)
}
