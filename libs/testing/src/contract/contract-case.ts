/** One fact that holds for every connector of a kind. Run by any test runner: `it.each(cases)('$title', ({ run }) => run())`. */
export interface ContractCase {
  readonly title: string;
  readonly run: () => Promise<void>;
}
