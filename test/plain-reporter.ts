import type { Reporter, SerializedError, TestModule } from 'vitest/node';

/** Ends a run with one plain line, `12 passed, 0 failed`, that a script can read. */
export class PlainReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    let passed = 0;
    let failed = errors.length;
    let skipped = 0;
    for (const module of modules) {
      const states = [...module.children.allTests()].map((test) => test.result().state);
      passed += states.filter((state) => state === 'passed').length;
      skipped += states.filter((state) => state === 'skipped' || state === 'pending').length;
      const broken = states.filter((state) => state === 'failed').length;
      failed += module.state() === 'failed' ? Math.max(1, broken) : broken;
    }
    console.log(`${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`);
  }
}
