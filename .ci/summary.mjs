/**
 * Arguments: Jest's JSON, the exit code of the tests, the number of failed checks. Says what did not pass and prints `N passed, N failed`, alone on the last line.
 * A skipped or unfinished test is a failed one: a green run means that everything ran.
 */
import { existsSync, readFileSync } from 'node:fs';

const [file, exitCode, failedChecks] = process.argv.slice(2);
let passed = 0;
let failed = 0;
if (!file || !existsSync(file)) {
  console.log('The tests left no result.');
  failed += 1;
} else {
  const result = JSON.parse(readFileSync(file, 'utf8'));
  for (const suite of result.testResults) {
    const tests = suite.assertionResults;
    if (tests.length === 0) {
      console.log(`Ran no test: ${suite.name}`);
      failed += 1;
    }
    for (const test of tests) {
      if (test.status === 'passed') passed += 1;
      else {
        failed += 1;
        console.log(`${test.status}: ${test.fullName}`);
      }
    }
    // A suite may fail beside its tests, e.g. in afterAll.
    if (suite.status === 'failed' && tests.length > 0 && tests.every(({ status }) => status === 'passed')) {
      console.log(`failed outside its tests: ${suite.name}`);
      failed += 1;
    }
  }
}
// A failed teardown, or no test at all.
if (failed === 0 && (exitCode !== '0' || passed === 0)) failed = 1;
failed += Number(failedChecks);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
