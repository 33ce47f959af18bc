// SPDX-License-Identifier: Apache-2.0
/** Playbooks: what to do when something goes wrong, as Markdown that people edit. */

export interface Playbook {
  /** The name of its file. */
  readonly name: string
  readonly title: string
  readonly about: string
  readonly tasks: readonly string[]
}

/** Reads one: its first heading, what stands before the tasks, and each `- [ ]` as a task. */
export function parsePlaybook(name: string, text: string): Playbook {
  const lines = text.split('\n').map(line => line.trim())
  const title = lines.find(line => line.startsWith('# '))?.slice(2) ?? name
  const tasks = lines.filter(line => line.startsWith('- [ ] ')).map(line => line.slice(6))
  const about = lines.filter(line => line !== '' && !line.startsWith('# ') && !line.startsWith('- [ ] '))
  return { name, title, about: about.join(' '), tasks }
}
