# Adds up the unit tests (out/test-results/*.trx) and the conformance suite (out/conformance.log), for build.cmd.
# Prints "N passed, N failed" and fails if anything did, or did not run.
$passed = 0
$failed = 0
$files = @(Get-ChildItem out/test-results -Filter *.trx -ErrorAction SilentlyContinue | Sort-Object LastWriteTime | Select-Object -Last 1)
if ($files.Count -eq 0) { $failed++ }
foreach ($file in $files) {
    $counters = ([xml](Get-Content $file.FullName)).TestRun.ResultSummary.Counters
    $passed += [int]$counters.passed
    $failed += [int]$counters.total - [int]$counters.passed
}
$last = Get-Content out/conformance.log -ErrorAction SilentlyContinue | Select-Object -Last 1
if ($last -match '^(\d+) passed, (\d+) failed$') {
    $passed += [int]$Matches[1]
    $failed += [int]$Matches[2]
} else {
    $failed++
}
"$passed passed, $failed failed"
exit [int]($failed -ne 0)
