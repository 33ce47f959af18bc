// SPDX-License-Identifier: Apache-2.0
/** Rehearsals of incidents: what is played, how fast it was seen, closed and told, and when the next is due. */

/** The playbooks that can be rehearsed. */
export const drillPlaybooks = ['worm', 'account-takeover', 'leaked-token', 'upstream-takedown'] as const
export type DrillPlaybook = (typeof drillPlaybooks)[number]

/** Who contains it: the instance without anybody, or the people who respond, whom the drill waits for. */
export type DrillPath = 'automatic' | 'people'

/** `broken`: the process that played it ended, or a step failed; it was cleaned up after. */
export type DrillState = 'waiting' | 'running' | 'stopping' | 'done' | 'stopped' | 'broken'

/** The moments of a drill in milliseconds since the epoch, null for what did not happen. */
export interface DrillMarks {
  /** The first act of the attacker. */
  readonly attackAt: number | null
  /** The first hold, case or ended token that came of it. */
  readonly detectedAt: number | null
  /** A reader gets none of it any more, and what it acted with is dead. */
  readonly containedAt: number | null
  /** A letter to those who respond lies in the outbox. */
  readonly notifiedAt: number | null
}

export type DrillMark = keyof DrillMarks

/** One rehearsal. */
export interface Drill extends DrillMarks {
  /** `drill-` and sixteen hexadecimal digits. */
  readonly id: string
  readonly playbook: DrillPlaybook
  readonly path: DrillPath
  /** How many packages the attack goes for. */
  readonly packages: number
  readonly state: DrillState
  /** Id of an account, `operator`, or `drill` where the calendar began it. */
  readonly startedBy: string
  readonly startedAt: number
  readonly endedAt: number | null
  /** What was found, once it ended. */
  readonly report: DrillReport
}

/** What people did to contain it, each one command or click. */
export interface DrillAction {
  readonly at: number
  readonly by: string
  readonly what: string
}

/** What a drill says of itself when it is over. */
export interface DrillReport {
  /** Versions that got in, and how often the attacker was refused. */
  readonly infected: number
  readonly refused: number
  readonly actions: readonly DrillAction[]
  /** What happened, in order. */
  readonly lines: readonly { readonly at: number; readonly words: string }[]
  /** Why it was not contained, or broke off; empty where all went as it should. */
  readonly fault: string
  /** What cannot be taken back. */
  readonly stays: string
}

export const emptyReport: DrillReport = {
  infected: 0,
  refused: 0,
  actions: [],
  lines: [],
  fault: '',
  stays: '',
}

/** Whether it is still to be played, or being played. */
export function isOpenDrill({ state }: Pick<Drill, 'state'>): boolean {
  return state === 'waiting' || state === 'running' || state === 'stopping'
}

/** So long after the last one that ended the next is due. */
export const drillDueMs = 90 * 24 * 3600_000

/** What people may let the attack go for: more would show nothing else. */
export const mostDrillPackages = 200

/** What the store keeps of drills. */
export interface DrillReads {
  find(id: string): Promise<Drill | undefined>
  /** The one that is not over. */
  findOpen(): Promise<Drill | undefined>
  /** Newest first. */
  list(limit: number): Promise<readonly Drill[]>
  /** The newest that was played to its end, of any playbook or of one. */
  findLast(playbook?: DrillPlaybook): Promise<Drill | undefined>
}

export interface DrillWrites {
  add(drill: Drill): Promise<void>
  setState(id: string, state: DrillState): Promise<void>
  /** False where it was set before. */
  mark(id: string, mark: DrillMark, at: number): Promise<boolean>
  end(id: string, state: DrillState, at: number, report: DrillReport): Promise<void>
}
