// `hookpoint demo`: a story in four chapters on a machine of its own, told by the real commands as real processes. Every claim it makes is
// checked against what they answered; a wrong one ends in status 1. Nothing is left behind.
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Io } from '../../pkg/cli/index.js'
import { priority } from './demo-priority.js'
import { roundRobin } from './demo-round-robin.js'
import { Stage } from './demo-stage.js'
import { steering } from './demo-steering.js'
import { counting } from './demo-counting.js'
import { environment } from './environment.js'
import type { House } from './house.js'

const CHAPTERS = [steering, priority, roundRobin, counting] as const

export function runDemo(house: House, io: Io): number {
  const dir = mkdtempSync(join(tmpdir(), 'hookpoint-demo-'))
  try {
    symlinkSync(join(house.home, 'fixtures'), join(dir, 'fixtures'))
    const stage = new Stage(dir, demoEnvironment(house, io, dir), io)
    tell(stage)
    return stage.close()
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function tell(stage: Stage): void {
  stage.say('A Linux network machine without Linux: programs compiled by clang are verified, compiled to WebAssembly and run on packets.')
  stage.say('Each line below is a process of its own; the machine lives in a directory between them, and its clock is virtual.')
  try {
    for (const chapter of CHAPTERS) chapter(stage)
  } catch (error) {
    stage.broken(error)
  }
}

/** What HOOKPOINT_* says to the user's own machine is not for this one. */
function demoEnvironment(house: House, io: Io, dir: string): Record<string, string> {
  const own = Object.entries(io.env).filter(([name, value]) => !name.startsWith('HOOKPOINT_') && value !== undefined)
  return { ...Object.fromEntries(own) as Record<string, string>, ...environment({ ...house, dir: join(dir, 'state') }, io.env['PATH']) }
}
