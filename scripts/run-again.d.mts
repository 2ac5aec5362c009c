interface ReportOfTests {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}
export function filesToRunAgain(report: ReportOfTests | undefined): string[];
export function withSecondRun(
  first: ReportOfTests,
  second: ReportOfTests,
): { report: ReportOfTests; unsteady: string[] };
