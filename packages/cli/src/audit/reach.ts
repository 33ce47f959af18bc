// SPDX-License-Identifier: Apache-2.0
import type { Project } from '../project.ts'
import type { Finding } from './known.ts'

/** Whether the project runs what is flawed. */
export interface Reach {
  readonly answer: 'reachable' | 'not reachable' | 'unknown'
  readonly why: string
  /** From the project's own code to what is flawed. */
  readonly path: readonly string[]
}

export interface JudgedFinding extends Finding {
  /** Undefined where nobody looked. */
  readonly reach?: Reach
}

/** Looks at a project's code and says of each finding whether it is reached. */
export type JudgeReach = (project: Project, findings: readonly Finding[]) => Promise<readonly JudgedFinding[]>
