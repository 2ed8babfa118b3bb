// Fixtures run in parallel. [NonParallelizable] is for those that touch process-wide state: the console, the working directory, the environment.
[assembly: Parallelizable(ParallelScope.Fixtures)]
